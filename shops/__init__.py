"""Users, shops, members, roles, the door, the audit trail."""
