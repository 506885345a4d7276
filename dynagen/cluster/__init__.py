"""What there will be in the cluster: objects, graphs, what the operator makes of them, their pods, the APIs."""
