package access

// Allows is Actor.Allows for somebody with this ability alone.
func (a *Ability) Allows(action Action, subject Subject, f Fields) bool {
	actor := &Actor{Rights: Rights{Ability: a}}
	allowed, err := actor.Allows(action, subject, f)
	if err != nil {
		panic(err)
	}
	return allowed
}
