"""Discovery, pure: how well a workflow fits a query, and how sure that can be."""
