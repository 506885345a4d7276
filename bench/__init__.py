"""What a build costs, against what people type today. `python -m bench` prints ratios measured in one run."""
