"""How numbers are fetched: from a question and a viewer to SQL, to the warehouse, to a table."""
