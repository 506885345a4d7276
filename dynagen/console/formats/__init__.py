"""The outcome of a run as text, JSON, SARIF, JUnit and annotations."""
