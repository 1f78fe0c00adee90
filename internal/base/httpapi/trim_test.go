package httpapi_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type trimIn struct {
	ThingID string `path:"thingId"`
	Name    string `path:"name"`
	OwnerID string `query:"ownerId"`
	Order   string `query:"order" enum:"up,down"`
	Body    struct {
		ID     httpapi.Text   `json:"id,omitempty" maxLength:"36"`
		TagIDs []httpapi.Text `json:"tagIds,omitempty"`
		Slug   httpapi.Text   `json:"slug,omitempty" maxLength:"36"`
		Key    httpapi.Text   `json:"key,omitempty" minLength:"1" maxLength:"3"`
		Kind   string         `json:"kind,omitempty" enum:"a,b"`
		Value  string         `json:"value,omitempty"`
		PEM    httpapi.Prose  `json:"pem,omitempty"`
	}
}

type trimOut struct{ Body map[string]any }

func trims(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{Method: "POST", Path: "/things/{thingId}/{name}", ID: "trims", AnyActor: true},
		func(_ context.Context, _ *access.Actor, in *trimIn) (*trimOut, error) {
			b := in.Body
			return &trimOut{map[string]any{"thingId": in.ThingID, "name": in.Name, "ownerId": in.OwnerID, "order": in.Order,
				"id": b.ID, "tagIds": b.TagIDs, "slug": b.Slug, "key": b.Key, "kind": b.Kind, "value": b.Value, "pem": b.PEM}}, nil
		})
}

// TestTextsAreTrimmedBeforeTheyAreChecked also shows what is left alone: values, prose, and what is no id.
func TestTextsAreTrimmedBeforeTheyAreChecked(t *testing.T) {
	const upper, lower = "01890000-0000-7000-8000-0000000000AB", "01890000-0000-7000-8000-0000000000ab"
	s := serve(t, httpapi.Options{}, trims)
	around := func(text string) string { return url.PathEscape(" \t" + text + "\r\n") }
	got := call(t, s, "POST", "/things/"+around(upper)+"/"+around(upper)+"?ownerId="+around(upper)+"&order="+around("up"),
		`{"id":" `+upper+`\n","tagIds":["`+upper+` "],"slug":"`+upper+`\u00a0","key":"\tabc\r\n","kind":" b\n","value":" v\n","pem":"-\n"}`, withToken, withJSON)
	if got.Status != 200 {
		t.Fatalf("status %d: %s", got.Status, got.Body)
	}
	want := map[string]any{"thingId": lower, "name": upper, "ownerId": lower, "order": "up", "id": lower, "tagIds": []any{lower},
		"slug": upper, "key": "abc", "kind": "b", "value": " v\n", "pem": "-\n"}
	if diff := cmp.Diff(want, got.envelope(t)); diff != "" {
		t.Error(diff)
	}
}

func TestBlanksAlone(t *testing.T) {
	s := serve(t, httpapi.Options{}, trims)
	if got := call(t, s, "POST", "/things/%20/n?ownerId=+&order=%0A", `{"slug":"\n"}`, withToken, withJSON); got.Status != 200 {
		t.Errorf("blanks where nothing is required: status %d: %s", got.Status, got.Body)
	}
	wantError(t, call(t, s, "POST", "/things/x/n", `{"key":" \n"}`, withToken, withJSON), 422, "ValidationFailure")
}
