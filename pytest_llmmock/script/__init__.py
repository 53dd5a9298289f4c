"""Replies that are written by hand: rules, what they are for, and what they say."""
