"""What Kubernetes refuses in a pod template though its schema does not say so. One file per noun."""
