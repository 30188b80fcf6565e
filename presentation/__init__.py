"""How numbers look: words, units, charts, tables, files."""
