package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLimitsOfSecrets goes to the ends of what secrets, references, imports and folders may be, over the wire. Odd names
// and values are in TestOddSecrets, the names that are refused among those of TestBadInput, a folder of 10,000 secrets in
// TestManySecrets.
func TestLimitsOfSecrets(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	t.Run("names and values", func(t *testing.T) { oddSecrets(t, v) })
	t.Run("references", func(t *testing.T) { fans(t, v) })
	t.Run("folders 100 deep", func(t *testing.T) { deepFolders(t, v) })
	t.Run("refused/an import of itself", func(t *testing.T) {
		body := importBody(v)
		body["import"] = object{"environment": "dev", "path": "/"}
		shared.Admin.Call(t, http.MethodPost, importsV2, body).WantError(400, "BadRequest")
	})
}

// value reads a secret of the root of dev; the name is percent-encoded.
func (v vault) value(t *testing.T, name string) string {
	t.Helper()
	return shared.Admin.Call(t, http.MethodGet, secretsV4+"/"+name+v.query(), nil).Want(200).Text("secret.secretValue")
}

func oddSecrets(t *testing.T, v vault) {
	read := func(name string) string { return v.value(t, name) }
	t.Run("accepted/a value of 1 MB", func(t *testing.T) {
		value := strings.Repeat("0123456789abcdef", 1<<16)
		if v.put(t, shared, "dev", "/", "MB", value); read("MB") != value {
			t.Error("it came back changed")
		}
	})
	t.Run("accepted/a value of every byte that JSON can carry", func(t *testing.T) {
		var all []byte
		for b := byte(1); b < 0x80; b++ {
			all = append(all, b)
		}
		value := "x" + string(all) + "\x00$1${NOPE}é💣x"
		if v.put(t, shared, "dev", "/", "BYTES", value); read("BYTES") != value {
			t.Errorf("it came back as %q", read("BYTES"))
		}
	})
	t.Run("accepted/a name that could be a path", func(t *testing.T) {
		name := "a b.c%2Fd💣"
		v.put(t, shared, "dev", "/", name, "x")
		if got := read(url.PathEscape(name)); got != "x" {
			t.Errorf("it has the value %q", got)
		}
	})
	t.Run("refused/a name of 4 KB", func(t *testing.T) {
		body := object{"projectId": v.ID, "environment": "dev", "secretValue": "x"}
		shared.Admin.Call(t, http.MethodPost, secretsV4+"/"+strings.Repeat("n", 4096), body).WantError(422, "ValidationFailure")
	})
}

func fans(t *testing.T, v vault) {
	read := func(name string) string { return v.value(t, name) }
	t.Run("accepted/references in a circle", func(t *testing.T) {
		v.put(t, shared, "dev", "/", "C1", "1${C2}")
		v.put(t, shared, "dev", "/", "C2", "2${C1}")
		if got := read("C1"); got != "12" {
			t.Errorf("it expands to %q; want what leads back to be empty", got)
		}
	})
	t.Run("accepted/a fan of 10000 references", func(t *testing.T) {
		v.put(t, shared, "dev", "/", "LEAF", "x")
		v.put(t, shared, "dev", "/", "FAN", strings.Repeat("${LEAF}", 10_000))
		if got := read("FAN"); got != strings.Repeat("x", 10_000) {
			t.Errorf("it expands to %d bytes", len(got))
		}
	})
	t.Run("refused/a fan of fans", func(t *testing.T) {
		v.put(t, shared, "dev", "/", "FANS", strings.Repeat("${FAN}", 10_000))
		shared.Admin.Call(t, http.MethodGet, secretsV4+"/FANS"+v.query(), nil).WantError(400, "BadRequest")
	})
}

// deepFolders puts a secret into the hundredth folder, finds it by every way to read, and finds that there is no next one.
func deepFolders(t *testing.T, v vault) {
	above := strings.Repeat("/d", 99)
	place := object{"projectId": v.ID, "environment": "prod", "path": above, "name": "d"}
	shared.Admin.Call(t, http.MethodPost, "/api/v2/folders", place).Want(200)
	place["path"] = above + "/d"
	shared.Admin.Call(t, http.MethodPost, "/api/v2/folders", place).WantError(422, "ValidationFailure")
	v.put(t, shared, "prod", above+"/d", "DEEP", "x")
	path := "&environment=prod&secretPath=" + url.QueryEscape(above+"/d")
	for _, read := range []string{secretsV4 + "/DEEP?projectId=" + v.ID + path, secretsV3 + "/DEEP?workspaceId=" + v.ID + path} {
		if got := shared.Admin.Call(t, http.MethodGet, read, nil).Want(200).Text("secret.secretPath"); got != above+"/d" {
			t.Errorf("it lies in %q", got)
		}
	}
	list := secretsV4 + "?projectId=" + v.ID + "&environment=prod&recursive=true&secretPath="
	if got := shared.Admin.Call(t, http.MethodGet, list+url.QueryEscape(strings.Repeat("/d", 85)), nil).Want(200).List("secrets", "secretKey"); !cmp.Equal(got, []string{"DEEP"}) {
		t.Errorf("15 folders above are %v", got)
	}
	exact := "/api/v1/folders/" + v.ID + "/prod/" + url.PathEscape(above+"/d")
	shared.Admin.Call(t, http.MethodGet, exact, nil).Want(200)
}

// TestWritersOfOneSecret: of many at once none is lost; each makes the next version, and all of them can be read.
func TestWritersOfOneSecret(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	const writers = 16
	versions := make([]int, writers)
	atOnce(writers, func(i int) {
		a := shared.Admin.Call(t, http.MethodPatch, secretsV4+"/OLD", object{"projectId": v.ID, "environment": "dev", "secretValue": strconv.Itoa(i)})
		if a.Status == 200 {
			versions[i] = int(a.Number("secret.version"))
		}
	})
	for i, version := range versions {
		read := shared.Admin.Call(t, http.MethodGet, fmt.Sprintf("%s/OLD%s&version=%d", secretsV4, v.query(), version), nil).Want(200)
		if got := read.Text("secret.secretValue"); got != strconv.Itoa(i) {
			t.Errorf("version %d is %q; want what its writer sent, %d", version, got, i)
		}
	}
	slices.Sort(versions)
	for i, version := range versions {
		if version != i+2 {
			t.Fatalf("the versions are %v; want 2 to %d", versions, writers+1)
		}
	}
}

// TestBadItemOfABatch: with one bad item nothing of a batch is written.
func TestBadItemOfABatch(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	state := func() string {
		a := shared.Admin.Call(t, http.MethodGet, secretsV4+v.query(), nil).Want(200)
		return fmt.Sprint(a.List("secrets", "secretKey"), a.List("secrets", "secretValue"), a.Number("secrets.0.version"))
	}
	before := state()
	for name, c := range map[string]struct {
		method string
		items  []object
		status int
	}{
		"create/taken":     {http.MethodPost, []object{{"secretKey": "A", "secretValue": "x"}, {"secretKey": "OLD", "secretValue": "x"}}, 400},
		"create/twice":     {http.MethodPost, []object{{"secretKey": "A", "secretValue": "x"}, {"secretKey": "A", "secretValue": "y"}}, 400},
		"create/bad name":  {http.MethodPost, []object{{"secretKey": "A", "secretValue": "x"}, {"secretKey": "a/b", "secretValue": "x"}}, 422},
		"create/no tag":    {http.MethodPost, []object{{"secretKey": "A", "secretValue": "x"}, {"secretKey": "B", "secretValue": "x", "tagIds": []string{"nope"}}}, 404},
		"update/missing":   {http.MethodPatch, []object{{"secretKey": "OLD", "secretValue": "x"}, {"secretKey": "NOPE", "secretValue": "x"}}, 404},
		"update/no folder": {http.MethodPatch, []object{{"secretKey": "OLD", "secretValue": "x"}, {"secretKey": "OLD", "secretValue": "x", "secretPath": "/nope"}}, 404},
		"delete/missing":   {http.MethodDelete, []object{{"secretKey": "OLD"}, {"secretKey": "NOPE"}}, 404},
		"delete/twice":     {http.MethodDelete, []object{{"secretKey": "OLD"}, {"secretKey": "OLD"}}, 404},
		"delete/personal":  {http.MethodDelete, []object{{"secretKey": "OLD"}, {"secretKey": "OLD", "type": "personal"}}, 400},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			shared.Admin.Call(t, c.method, batchV4, object{"projectId": v.ID, "environment": "dev", "secrets": c.items}).Want(c.status)
			if after := state(); after != before {
				t.Errorf("it was refused, and the folder went from %s to %s", before, after)
			}
		})
	}
}
