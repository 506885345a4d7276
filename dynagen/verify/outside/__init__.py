"""What stands between clients outside and the frontend of a graph: encryption and time."""
