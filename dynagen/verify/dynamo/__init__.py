"""What Dynamo's webhook says about a graph, and what its controllers would fail at. One file per noun."""
