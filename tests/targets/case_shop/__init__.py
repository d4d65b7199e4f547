"""A small shop in Django, in two versions: before and after three changes (docs/case-studies)."""
