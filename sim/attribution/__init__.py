"""Where the defects that reach users began: the quality map, and one defect followed."""
