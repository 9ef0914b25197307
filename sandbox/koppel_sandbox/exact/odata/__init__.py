"""OData version 2 as Exact speaks it: a small filter language and verbose JSON."""
