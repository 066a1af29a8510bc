"""Labels of workflows and tasks: what they are, and how lists are narrowed by them."""
