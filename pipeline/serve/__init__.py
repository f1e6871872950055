"""`lexel serve`: searching over HTTP, and a page to search with. What needs no network here loads no torch."""
