package access

// Ability is a compiled set of rules.
type Ability struct{}
