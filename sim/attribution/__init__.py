"""Where the defects that reach users began: the quality map, and the way of a single defect."""
