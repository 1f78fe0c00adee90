package access

import "encoding/json"

// Subject is the sort of thing that a rule speaks of, such as "identity".
type Subject string

// Action is what is done to a subject, such as "create-token".
type Action string

// Rule allows, or when Inverted denies, some actions on a subject. With conditions it does so only for the things
// whose attributes meet all of them. Rules and what they point to must not be changed once they are compiled.
type Rule struct {
	Subject    Subject    `json:"subject"`
	Actions    Actions    `json:"action"`
	Conditions Conditions `json:"conditions,omitempty"`
	Inverted   bool       `json:"inverted"`
}

// Conditions maps the name of an attribute to what it must be: a string, which means equality, or an object of
// operators, such as {"$in": ["dev", "test"]} (docs/reference/secrets.md section 4.2).
type Conditions map[string]any

// Actions is the list of actions of a rule. It is read from a JSON string or list, and written as a list.
type Actions []Action

// UnmarshalJSON reads one action or a list of them; null is an empty list.
func (a *Actions) UnmarshalJSON(data []byte) error {
	var one *Action
	if json.Unmarshal(data, &one) == nil {
		*a = nil
		if one != nil {
			*a = Actions{*one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]Action)(a))
}

// MarshalJSON writes a list, an empty one where there is none.
func (a Actions) MarshalJSON() ([]byte, error) {
	if a == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Action(a))
}
