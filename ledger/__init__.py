"""Khatas and entries. What is owed: the truth. Nothing here is ever edited or deleted."""
