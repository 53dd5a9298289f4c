"""The middle: data and decisions, without input or output."""
