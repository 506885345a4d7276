"""Every name that one object uses of another is there: in the stream, in the cluster, or made by Dynamo's operator."""
