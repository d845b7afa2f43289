"""Months of a battery's life in minutes, and what is found out of it compared with the truth."""
