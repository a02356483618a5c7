"""What is kept of each checklist, and its replay years later."""
