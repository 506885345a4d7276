"""What `${...}` means: found in scalars, evaluated in a scope, within limits. The door to CEL."""
