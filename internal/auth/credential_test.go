package auth

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// postSettings are settings with a credential, as a method that calls someone has them.
type postSettings struct {
	Shared
	postAddress
	Name *string `json:"name,omitempty"`
	Key  *string `json:"apiKey,omitempty" writeOnly:"true"`
}

type postAddress struct {
	URL *string           `json:"url,omitempty" destination:"true"`
	CA  map[string]string `json:"ca,omitempty" destination:"true"`
}

func text(s string) *string { return &s }

// TestCredentialsBelongToTheirDestination: a stored credential goes nowhere else unless it is given again.
func TestCredentialsBelongToTheirDestination(t *testing.T) {
	t.Parallel()
	stored := postSettings{Name: text("n"), Key: text("secret"), postAddress: postAddress{URL: text("https://a"), CA: map[string]string{"a": "1"}}}
	for name, c := range map[string]struct {
		before  postSettings
		request *postSettings
		refused bool
	}{
		"another URL":                     {stored, &postSettings{postAddress: postAddress{URL: text("https://b")}}, true},
		"another CA":                      {stored, &postSettings{postAddress: postAddress{CA: map[string]string{"a": "2"}}}, true},
		"no CA":                           {stored, &postSettings{postAddress: postAddress{CA: map[string]string{}}}, true},
		"another URL and another name":    {stored, &postSettings{Name: text("m"), postAddress: postAddress{URL: text("")}}, true},
		"another URL with the credential": {stored, &postSettings{Key: text("secret"), postAddress: postAddress{URL: text("https://b")}}, false},
		"another URL, no credential":      {stored, &postSettings{Key: text(""), postAddress: postAddress{URL: text("https://b")}}, false},
		"the same URL":                    {stored, &postSettings{postAddress: postAddress{URL: text("https://a")}}, false},
		"another name":                    {stored, &postSettings{Name: text("m")}, false},
		"another credential":              {stored, &postSettings{Key: text("other")}, false},
		"nothing":                         {stored, nil, false},
		"another URL, none stored":        {postSettings{postAddress: stored.postAddress}, &postSettings{postAddress: postAddress{URL: text("https://b")}}, false},
		"another URL, an empty one":       {postSettings{Key: text(""), postAddress: stored.postAddress}, &postSettings{postAddress: postAddress{URL: text("https://b")}}, false},
	} {
		after := c.before
		if c.request != nil {
			overlay(reflect.ValueOf(&after).Elem(), reflect.ValueOf(c.request).Elem())
		}
		err := staysHome(reflect.ValueOf(c.before), reflect.ValueOf(after), reflect.ValueOf(c.request))
		if c.refused != fault.Is(err, fault.Validation) || !c.refused && err != nil {
			t.Errorf("%s: %v, want it refused: %v", name, err, c.refused)
		}
		if err != nil && (!strings.Contains(err.Error(), "apiKey") || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: the message is %q", name, err)
		}
	}
}

// TestCredentialsNeedADestination: a method whose settings do not say where their credential goes cannot be mounted.
func TestCredentialsNeedADestination(t *testing.T) {
	t.Parallel()
	type careless struct {
		Shared
		Key *string `json:"apiKey,omitempty" writeOnly:"true"`
	}
	panics := func(v any) (panicked bool) {
		defer func() { panicked = recover() != nil }()
		mustSayWhere(reflect.TypeOf(v))
		return false
	}
	if !panics(careless{}) {
		t.Error("settings with a credential and no destination are taken")
	}
	if panics(postSettings{}) || panics(knockSettings{}) {
		t.Error("settings that say where their credential goes, or have none, are refused")
	}
}
