"""How requests reach us, and how replies leave."""
