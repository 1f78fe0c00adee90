package httpapi

import (
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

const description = "Machine identities, their tokens and the secrets that these open. A revoke is true when it returns.\n\n" +
	"Bodies are JSON. Where all fields are plain values, a form (`application/x-www-form-urlencoded`) does too, but not on routes that read " +
	"or set a cookie. White space around names, ids, credentials and tokens is cut off, and ids may be in upper case."

// catalog is a huma API and the schemas of the routes in it. The document of all routes is made from one that holds
// them all, and thrown away. A route that is called has one of its own: most of a server's routes are never called, and
// so cost neither time at the start nor memory.
type catalog struct {
	huma   huma.API
	tidied map[string]struct{} // component schemas that tidySchemas has been through
	naming string              // id of the route whose schemas are being named
	marked bool                // keep the marks that requests are read by; the document has none
}

// newCatalog makes a huma API with no routes of its own, no $schema links in answers, and unknown fields allowed.
func newCatalog(version string) *catalog {
	c := &catalog{tidied: map[string]struct{}{}}
	config := huma.DefaultConfig("Sallyport", version)
	config.Info.Description = description
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.AllowAdditionalPropertiesByDefault = true
	config.Components.Schemas = huma.NewMapRegistry(schemaPrefix, c.schemaName)
	c.huma = huma.NewAPI(config, wire{})
	return c
}

// catalog returns a new catalog of all routes.
func (a *API) catalog() *catalog {
	c := newCatalog(a.options.Version)
	doc := c.huma.OpenAPI()
	maps.Copy(c.registry().Map(), errorSchemas())
	doc.Components.Responses = errorResponses()
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearerAuth": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token."},
	}
	for _, ep := range a.endpoints {
		c.bind(ep)
	}
	return c
}

// bind has huma go through the types of a route. It panics on what this package cannot do with them.
func (c *catalog) bind(ep *endpoint) *binding {
	c.naming = ep.route.ID
	b := &binding{catalog: c, endpoint: ep}
	if ep.bodyField != nil {
		b.request = &huma.RequestBody{}
	}
	ep.bind(b)
	b.complete()
	return b
}

func (c *catalog) registry() huma.Registry { return c.huma.OpenAPI().Components.Schemas }

// resolve follows a reference to a component schema.
func (c *catalog) resolve(s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = c.registry().SchemaFromRef(s.Ref)
	}
	return s
}

// tidySchemas tidies the component schemas that a route added.
func (c *catalog) tidySchemas(r Route) {
	schemas := c.registry().Map()
	for _, t := range []reflect.Type{reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[huma.ErrorDetail]()} {
		delete(schemas, c.schemaName(t, "")) // huma documents its own errors with every route; nobody gets to see them
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if _, done := c.tidied[name]; done {
			continue
		}
		c.tidied[name] = struct{}{}
		if unique := c.tidy(schemas[name], map[*huma.Schema]bool{}); unique {
			panic(r.name() + ": the tag uniqueItems makes huma panic on a list of objects: check in the handler")
		}
	}
}

// tidy makes lists not nullable, which huma assumes of every Go slice: we send [] for an empty list, and clients with
// strict models break on null. It reports whether a schema asks for unique items.
func (c *catalog) tidy(s *huma.Schema, seen map[*huma.Schema]bool) (unique bool) {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if !c.marked {
		delete(s.Extensions, trimMark)
	}
	unique = s.UniqueItems
	for _, field := range s.Properties {
		unique = c.tidy(field, seen) || unique
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		unique = c.tidy(values, seen) || unique
	}
	return c.tidy(s.Items, seen) || unique
}
