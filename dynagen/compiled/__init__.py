"""What ships, compiled when the package is built, because that costs more than all the rest."""
