"""What is worked out of a battery's states: how it is, and what is left of its limits."""
