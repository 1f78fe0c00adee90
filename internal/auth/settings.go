package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// defaultTTL is the TTL and the max TTL of a configuration that names none: 30 days
// (docs/reference/identity.md section 1.3).
const defaultTTL = 2_592_000

// common is what the service knows of any method's settings.
type common interface {
	Common() *Shared
	Periodic() int64
}

// decode reads stored settings.
func decode[S any](text []byte) (any, error) {
	own := new(S)
	return own, json.Unmarshal(text, own)
}

// attaching returns what makes the settings of a new configuration: the request's, completed and checked.
func attaching[S, L any, P Settings[S]](m Method[S, L, P], request *S) func(context.Context, any) (common, error) {
	return func(ctx context.Context, _ any) (common, error) {
		s := P(new(S))
		if request != nil {
			overlay(reflect.ValueOf(s).Elem(), reflect.ValueOf(request).Elem())
		}
		complete(s.Common())
		return s, settle(ctx, m, s, s.Common())
	}
}

// changing returns what makes the settings of a changed configuration: the stored ones under the request's.
func changing[S, L any, P Settings[S]](m Method[S, L, P], request *S) func(context.Context, any) (common, error) {
	return func(ctx context.Context, old any) (common, error) {
		s := P(new(S))
		*s = *old.(*S)
		named := &Shared{}
		if request != nil {
			overlay(reflect.ValueOf(s).Elem(), reflect.ValueOf(request).Elem())
			named = P(request).Common()
		}
		if err := settle(ctx, m, s, named); err != nil {
			return nil, err
		}
		return s, staysHome(reflect.ValueOf(old).Elem(), reflect.ValueOf(s).Elem(), reflect.ValueOf(request))
	}
}

// settle checks settings, whose shared part was named so far by the request.
func settle[S, L any, P Settings[S]](ctx context.Context, m Method[S, L, P], s P, named *Shared) error {
	if err := s.Common().check(named); err != nil {
		return err
	}
	if m.Check == nil {
		return nil
	}
	return m.Check(ctx, s)
}

// overlay sets in a struct what another of its type has set: pointers, slices and maps that are not nil. Fields that
// are marked readOnly are the server's, whatever a request says.
func overlay(to, from reflect.Value) {
	for i := range from.NumField() {
		switch f := from.Field(i); {
		case from.Type().Field(i).Tag.Get("readOnly") == "true":
		case f.Kind() == reflect.Struct:
			overlay(to.Field(i), f)
		case !f.IsZero():
			to.Field(i).Set(f)
		}
	}
}

// complete sets what a new configuration leaves out.
func complete(s *Shared) {
	ttl, maxTTL, none := int64(defaultTTL), int64(defaultTTL), int64(0)
	for field, value := range map[**int64]*int64{&s.TTL: &ttl, &s.MaxTTL: &maxTTL, &s.UsesLimit: &none} {
		if *field == nil {
			*field = value
		}
	}
	if s.TrustedIPs == nil {
		s.TrustedIPs = Everywhere()
	}
}

// Everywhere trusts every address.
func Everywhere() []TrustedIP { return []TrustedIP{{IPAddress: "0.0.0.0/0"}, {IPAddress: "::/0"}} }

// check compares the effective TTL with the effective max TTL, and brings the addresses into their stored form. Where
// the request named both TTLs the mistake is its own; else it is one against what is stored.
func (s *Shared) check(named *Shared) error {
	if *s.MaxTTL > 0 && *s.TTL > *s.MaxTTL {
		const message = "The TTL of an access token cannot be longer than its max TTL. Lower accessTokenTTL, raise accessTokenMaxTTL, or set accessTokenMaxTTL to 0 for no limit."
		if named.TTL != nil && named.MaxTTL != nil {
			return fault.Invalid("custom", message)
		}
		return fault.New(fault.BadRequest, message)
	}
	return Normalize(s.TrustedIPs)
}

// Normalize brings trusted addresses into the form in which they are stored and shown: the text of the address as it was
// sent, its family, and the prefix apart. It refuses other texts as BadRequest.
func Normalize(ips []TrustedIP) error {
	for i, ip := range ips {
		text := ip.IPAddress.Trimmed()
		if ip.Prefix != nil && !strings.Contains(text, "/") {
			text += "/" + strconv.Itoa(*ip.Prefix)
		}
		rule, err := access.ParseIPRule(text)
		if err != nil {
			return err
		}
		ips[i] = TrustedIP{IPAddress: httpapi.Text(rule.IPAddress), Type: rule.Type, Prefix: rule.Prefix}
	}
	return nil
}

// Compile makes a list of trusted addresses ready to be asked.
func Compile(ips []TrustedIP) (*access.IPList, error) {
	rules := make([]access.IPRule, len(ips))
	for i, ip := range ips {
		rules[i] = access.IPRule{IPAddress: string(ip.IPAddress), Type: ip.Type, Prefix: ip.Prefix}
	}
	return access.CompileIPs(rules)
}

// answer is a configuration on the wire: one object with what is stored of it and the method's settings, under the
// method's key.
type answer[S any, P Settings[S]] struct{ config *Config }

type wireStored struct {
	ID         string       `json:"id"`
	IdentityID string       `json:"identityId"`
	CreatedAt  httpapi.Time `json:"createdAt"`
	UpdatedAt  httpapi.Time `json:"updatedAt"`
}

func output[S any, P Settings[S]](c *Config, err error) (*settingsOutput[S, P], error) {
	if err != nil {
		return nil, err
	}
	return &settingsOutput[S, P]{answer[S, P]{c}}, nil
}

// shown returns settings as answers may show them: without the fields that are marked writeOnly, which are secrets.
func shown[S any, P Settings[S]](own P) P {
	open := *own
	v := reflect.ValueOf(&open).Elem()
	for _, f := range marked(v.Type(), "writeOnly") {
		v.FieldByIndex(f.Index).SetZero()
	}
	return &open
}

// MarshalJSON writes a configuration once, for as long as it stays in memory: it is read far more often than changed.
func (a answer[S, P]) MarshalJSON() ([]byte, error) {
	if made := a.config.answer.Load(); made != nil {
		return *made, nil
	}
	made, err := a.join()
	if err == nil {
		a.config.answer.Store(&made)
	}
	return made, err
}

// join puts the two parts into one object.
func (a answer[S, P]) join() ([]byte, error) {
	c := a.config
	stored, err := json.Marshal(wireStored{c.ID, c.IdentityID, httpapi.Time(c.CreatedAt), httpapi.Time(c.UpdatedAt)})
	if err != nil {
		return nil, err
	}
	own := shown[S](c.own.(P))
	settings, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	joined := append(bytes.TrimSuffix(stored, []byte("}")), ',')
	joined = append(joined, bytes.TrimPrefix(settings, []byte("{"))...)
	return json.Marshal(map[string]json.RawMessage{own.Key(): joined})
}

// Schema describes the object for OpenAPI.
func (answer[S, P]) Schema(r huma.Registry) *huma.Schema {
	joined := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, t := range []reflect.Type{reflect.TypeFor[wireStored](), reflect.TypeFor[S]()} {
		part := huma.SchemaFromType(r, t)
		maps.Copy(joined.Properties, part.Properties)
		joined.Required = append(joined.Required, part.Required...)
	}
	slices.Sort(joined.Required)
	key := P(new(S)).Key()
	return &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{key: joined}, Required: []string{key}}
}
