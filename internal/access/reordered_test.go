package access

import "testing"

func TestAllowsAfterDenial(t *testing.T) {
	deny := func(actions ...Action) Rule { return Rule{Subject: SubjectSecrets, Actions: actions, Inverted: true} }
	for name, test := range map[string]struct {
		rules []Rule
		want  bool
	}{
		"after":                  {[]Rule{deny(ReadValue), allow(SubjectSecrets, Create, ReadValue)}, true},
		"before":                 {[]Rule{allow(SubjectSecrets, ReadValue), deny(ReadValue)}, false},
		"another action":         {[]Rule{deny(ReadValue), allow(SubjectSecrets, Create)}, false},
		"another subject":        {[]Rule{deny(Create), allow(SubjectSecretFolders, Create)}, false},
		"what stands for it":     {[]Rule{deny(DescribeSecret), allow(SubjectSecrets, Read)}, true},
		"what it stands for":     {[]Rule{deny(Read), allow(SubjectSecrets, ReadValue)}, true},
		"of the organization":    {[]Rule{{Subject: SubjectKMS, Actions: Actions{Read}, Inverted: true}, allow(SubjectKMS, Read)}, true},
		"a subject that is none": {[]Rule{{Subject: "x", Actions: Actions{"y"}, Inverted: true}, allow("x", "z")}, false},
	} {
		if got := AllowsAfterDenial(test.rules); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
