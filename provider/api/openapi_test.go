package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go"
	"github.com/swaggest/openapi-go/openapi31"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// TestOpenAPI: the description that is served is that of the operations as they are.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	got := newDescriber(t).describe((&Service{}).Operations())
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, openAPI) {
		t.Error("openapi.json is not what the operations are; run go test ./provider/api -update, and look at what changes for programs")
	}
}

// describer makes the description (OpenAPI 3.1). What it says of types and fields are their comments, so that there is
// one text for those who write programs and those who write this one.
type describer struct {
	t     testing.TB
	r     *openapi31.Reflector
	texts map[string]comments
	names map[string]reflect.Type
	// asked are types that programs send, whose fields they may leave out.
	asked map[reflect.Type]bool
	// silent are the names that were found to have no comment.
	silent map[string]bool
}

func newDescriber(t testing.TB) *describer {
	d := &describer{
		t: t, r: openapi31.NewReflector(), texts: map[string]comments{}, names: map[string]reflect.Type{}, asked: map[reflect.Type]bool{},
		silent: map[string]bool{},
	}
	d.r.DefaultOptions = append(d.r.DefaultOptions,
		jsonschema.InterceptDefName(d.name), jsonschema.InterceptProp(d.property), jsonschema.InterceptSchema(d.schema),
		// Lists and maps of nothing are written as such, and what is null is left out. Only in what programs send does null
		// mean something: it takes a pointer back to nothing.
		jsonschema.InterceptNullability(func(p jsonschema.InterceptNullabilityParams) {
			oc, ok := openapi.OperationCtx(p.Context)
			sent := ok && !oc.IsProcessingResponse() && oc.ProcessingIn() == openapi.InBody
			if p.NullAdded && !(sent && p.Type.Kind() == reflect.Pointer) {
				p.Schema.RemoveType(jsonschema.Null)
			}
		}),
	)
	return d
}

// describe writes the description of operations.
func (d *describer) describe(operations []web.Route) []byte {
	d.t.Helper()
	s := d.r.SpecEns()
	s.Info.WithTitle("Sallyport").WithVersion("1").WithDescription(
		"Everything that owners and administrators can do on their pages, and operators on the command line. " +
			"Requests and answers are JSON; problems are told as in RFC 9457.")
	s.WithServers(openapi31.Server{URL: exampleIssuer})
	d.security(s)
	tags := map[string]bool{}
	for _, r := range operations {
		d.operation(r)
		if !tags[r.API.Tag] {
			tags[r.API.Tag] = true
			s.Tags = append(s.Tags, openapi31.Tag{Name: r.API.Tag})
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		d.t.Fatal(err)
	}
	return append(data, '\n')
}

func (d *describer) security(s *openapi31.Spec) {
	// Nobody signs in to run the deployment.
	scopes, ofUsers := map[string]string{}, map[string]string{}
	for _, one := range Scopes() {
		scopes[one.Name] = one.Meaning
		if one.Name != "operator" {
			ofUsers[one.Name] = one.Meaning
		}
	}
	scheme := openapi31.SecuritySchemeOrReference{SecurityScheme: &openapi31.SecurityScheme{}}
	scheme.SecurityScheme.WithDescription("An access token in the header Authorization (RFC 6750): of a client that acts for itself, " +
		"or of one that an owner or administrator signed in to.")
	scheme.SecurityScheme.WithOauth2(openapi31.SecuritySchemeOauth2{Flows: openapi31.OauthFlows{
		ClientCredentials: &openapi31.OauthFlowsDefsClientCredentials{TokenURL: exampleIssuer + "/token", Scopes: scopes},
		AuthorizationCode: &openapi31.OauthFlowsDefsAuthorizationCode{
			AuthorizationURL: exampleIssuer + "/authorize", TokenURL: exampleIssuer + "/token", Scopes: ofUsers,
		},
	}})
	s.ComponentsEns().WithSecuritySchemesItem("oauth2", scheme)
}

var parameter = regexp.MustCompile(`:(\w+)`)

func (d *describer) operation(r web.Route) {
	d.t.Helper()
	c := r.API
	name := r.Method + " " + r.Path
	if c.ID == "" || c.Tag == "" || c.Summary == "" {
		d.t.Errorf("%s: About was not said", name)
	}
	if c.Scope != "" && !slices.ContainsFunc(Scopes(), func(s admin.Scope) bool { return s.Name == c.Scope }) {
		d.t.Errorf("%s: there is no scope %q", name, c.Scope)
	}
	oc, err := d.r.NewOperationContext(r.Method, parameter.ReplaceAllString(r.Path, "{$1}"))
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	oc.SetID(c.ID)
	oc.SetTags(c.Tag)
	oc.SetSummary(c.Summary)
	if c.Scope == "" {
		oc.AddSecurity("oauth2")
	} else {
		oc.AddSecurity("oauth2", c.Scope)
	}
	d.request(oc, r)
	d.responses(oc, r)
	if err := d.r.AddOperation(oc); err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	d.finish(oc, r)
}

// exposed is the operation itself.
func (d *describer) exposed(oc openapi.OperationContext) *openapi31.Operation {
	e, ok := oc.(openapi31.OperationExposer)
	if !ok {
		d.t.Fatalf("%s: the operation is hidden", oc.ID())
	}
	return e.Operation()
}

// finish says what the tags can't.
func (d *describer) finish(oc openapi.OperationContext, r web.Route) {
	op := d.exposed(oc)
	for _, p := range op.Parameters {
		// It stands beside the schema already.
		delete(p.Parameter.Schema, "description")
	}
	if body := op.RequestBody; body != nil {
		merge, ok := body.RequestBody.Content["application/json"]
		body.RequestBody.WithRequired(!ok || requires(r.API.In))
		if ok && r.Method == http.MethodPatch {
			body.RequestBody.WithContentItem("application/merge-patch+json", merge)
		}
		for _, accepted := range r.API.Accepts {
			if strings.HasPrefix(accepted, "image/") {
				// JSON Schema has no word for bytes, and generators know this one.
				bytes := openapi31.MediaType{Schema: map[string]any{"type": "string", "format": "binary"}}
				body.RequestBody.WithContentItem(accepted, bytes)
			}
		}
	}
	if made, ok := op.Responses.MapOfResponseOrReferenceValues["201"]; ok {
		where := openapi31.Header{Schema: map[string]any{"type": "string"}}
		where.WithDescription("Where it stands from now on.")
		made.Response.WithHeadersItem("Location", openapi31.HeaderOrReference{Header: &where})
	}
}

// requires tells whether a body has fields that must be there.
func requires(in reflect.Type) bool {
	for i := range in.NumField() {
		f := in.Field(i)
		if f.Tag.Get("json") != "" && f.Tag.Get("required") == "true" || f.Anonymous && f.Type.Kind() == reflect.Struct && requires(f.Type) {
			return true
		}
	}
	return false
}

func (d *describer) request(oc openapi.OperationContext, r web.Route) {
	mark(d.asked, r.API.In)
	oc.AddReqStructure(reflect.New(r.API.In).Interface())
	for _, accepted := range r.API.Accepts {
		oc.AddReqStructure(nil, openapi.WithContentType(accepted))
	}
	if r.API.Repeatable {
		p := openapi31.Parameter{Name: "Idempotency-Key", In: openapi31.ParameterInHeader, Schema: map[string]any{"type": "string", "maxLength": 255}}
		p.WithDescription("A word of your own for this request, such as a UUID. Sent again within 24 hours, the request is not " +
			"carried out twice: the answer is the same again.")
		op := d.exposed(oc)
		op.Parameters = append(op.Parameters, p.ToParameterOrRef())
	}
}

func (d *describer) responses(oc openapi.OperationContext, r web.Route) {
	c := r.API
	respond := func(status int, of any, options ...openapi.ContentOption) {
		oc.AddRespStructure(of, append([]openapi.ContentOption{openapi.WithHTTPStatus(status), func(cu *openapi.ContentUnit) {
			cu.Description = http.StatusText(status)
		}}, options...)...)
	}
	switch {
	case c.Out == reflect.TypeFor[web.Download]():
		if len(c.Produces) == 0 {
			d.t.Errorf("%s: Produces was not said", c.ID)
		}
		for _, kind := range c.Produces {
			respond(c.Status, "", openapi.WithContentType(kind))
		}
	case c.Out == nil:
		respond(c.Status, nil)
	default:
		respond(c.Status, reflect.New(c.Out).Interface())
	}
	for _, p := range problems {
		if p.of == nil || p.of(r) {
			respond(p.status, new(web.Problem), openapi.WithContentType("application/problem+json"), func(cu *openapi.ContentUnit) {
				cu.Description = p.text
			})
		}
	}
}

// problems are the ways to fail, with those operations that can.
var problems = []struct {
	status int
	text   string
	of     func(web.Route) bool
}{
	{http.StatusBadRequest, "The request can't be read.", nil},
	{http.StatusUnauthorized, "There is no access token, or it is not good (any more).", nil},
	{http.StatusForbidden, "The token lacks the scope, or whoever it acts for may not do this, or not from there.", nil},
	{http.StatusNotFound, "There is no such thing, or it is another tenant's.", func(r web.Route) bool { return strings.Contains(r.Path, ":") }},
	{http.StatusConflict, "It is there already, or a request with the same Idempotency-Key is under way.", changes},
	{http.StatusUnsupportedMediaType, "The body is of a type that is not taken.", changes},
	{http.StatusUnprocessableEntity, "It can't be done as it was asked; errors say why.", changes},
	{http.StatusTooManyRequests, "Too much was asked for; Retry-After says when to come back.", changes},
	{http.StatusServiceUnavailable, "Nothing was done; Retry-After says when to try again.", nil},
}

func changes(r web.Route) bool { return r.Method != http.MethodGet }

// mark notes a type and all that are within it.
func mark(seen map[reflect.Type]bool, t reflect.Type) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		mark(seen, t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			mark(seen, t.Field(i).Type)
		}
	}
}

// name is the type's, without its package; List[User] is UserList.
func (d *describer) name(t reflect.Type, _ string) string {
	name := t.Name()
	if generic, of, ok := strings.Cut(name, "["); ok {
		of = strings.TrimSuffix(of, "]")
		name = of[strings.LastIndexAny(of, "./")+1:] + generic
	}
	name = string(unicode.ToUpper(rune(name[0]))) + name[1:]
	if other, ok := d.names[name]; ok && other != t {
		d.t.Errorf("%s and %s have one name in the description", other, t)
	}
	d.names[name] = t
	return name
}

// common are the names that mean the same everywhere, so that no comment stands at them.
var common = map[string]string{
	"id": "What it is known by.", "tenant": "The tenant that it belongs to.", "name": "What people read.", "created": "When it was made.",
	"disabled": "It is out of use.", "email": "The e-mail address, in lower case.", "login": "The user name, in lower case.",
	"email_verified": "The e-mail address was proven to be the user's.", "role": "What the user may administer.",
	"type": "One of the tenant's user types.", "user_types": "The types that users can have.", "plan": "The name of the tenant's plan.",
	"plans": "Names of plans.", "roles": "What the user may administer.", "settings": "What the tenant chose.",
	"rules": "The rules of who must use two-factor authentication; the first that holds decides.", "when": "The conditions, which must all hold.",
	"then": "What the rule decides.", "totp_digits": "How many digits the codes of authenticator apps have.",
	"totp_algorithm": "What the codes of authenticator apps are made with.", "backup_codes": "How many backup codes are made in a set.",
	"support":     "Where a user who is stuck may turn: an e-mail address or an https URL.",
	"require_2fa": "Whoever it is must use two-factor authentication.", "has_password": "A password is set.",
	"last_sign_in": "When the last sign-in was.", "factor": "The kind of second step, such as \"totp\".", "last_used": "When it was last used.",
}

// property gives a field its description, and says whether it is always there.
func (d *describer) property(p jsonschema.InterceptPropParams) error {
	if !p.Processed {
		return nil
	}
	// Of an embedded struct the field belongs to that, not to the one around it.
	owner := p.ParentSchema.ReflectType
	for owner != nil && owner.Kind() == reflect.Pointer {
		owner = owner.Elem()
	}
	text := ""
	if owner != nil && owner.Kind() == reflect.Struct {
		text = d.fieldText(owner, p.Field)
	}
	if p.PropertySchema.Description == nil {
		if text == "" {
			text = common[p.Name]
		}
		if text == "" && !d.silent[p.Name] {
			d.silent[p.Name] = true
			d.t.Errorf("field %s of %v, %q in the description, has no comment", p.Field.Name, owner, p.Name)
		}
		p.PropertySchema.WithDescription(text)
	}
	if each := p.PropertySchema.Items; each != nil && len(p.PropertySchema.Enum) > 0 {
		// The words are those of each item.
		each.SchemaOrBoolEns().TypeObjectEns().Enum, p.PropertySchema.Enum = p.PropertySchema.Enum, nil
	}
	tag := p.Field.Tag.Get("json")
	if tag != "" && !d.asked[owner] && !strings.Contains(tag, ",omit") && !slices.Contains(p.ParentSchema.Required, p.Name) {
		p.ParentSchema.Required = append(p.ParentSchema.Required, p.Name)
	}
	return nil
}

// schema gives a type its description.
func (d *describer) schema(p jsonschema.InterceptSchemaParams) (bool, error) {
	t := p.Value.Type()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !p.Processed || t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), modulePath) {
		return false, nil
	}
	if p.Schema.Description == nil && p.Schema.Ref == nil {
		if text := d.of(t.PkgPath()).types[baseName(t)]; text != "" {
			p.Schema.WithDescription(text)
		}
	}
	return false, nil
}

func (d *describer) fieldText(owner reflect.Type, f reflect.StructField) string {
	// Fields of embedded structs are told with those.
	for i := range owner.NumField() {
		e := owner.Field(i)
		if e.Name == f.Name && e.Type == f.Type {
			return d.of(owner.PkgPath()).fields[baseName(owner)+"."+f.Name]
		}
	}
	for i := range owner.NumField() {
		if e := owner.Field(i); e.Anonymous && e.Type.Kind() == reflect.Struct {
			if text := d.fieldText(e.Type, f); text != "" {
				return text
			}
		}
	}
	return ""
}

func baseName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

const modulePath = "github.com/sallyport-id/sallyport/"

// comments are what a package says of its types and their fields.
type comments struct{ types, fields map[string]string }

// of reads the comments of a package of ours.
func (d *describer) of(pkg string) comments {
	if c, ok := d.texts[pkg]; ok {
		return c
	}
	c := comments{map[string]string{}, map[string]string{}}
	d.texts[pkg] = c
	folder, ours := strings.CutPrefix(pkg, modulePath)
	if !ours {
		return c
	}
	files, err := parser.ParseDir(token.NewFileSet(), filepath.Join("..", "..", folder), func(fs.FileInfo) bool { return true }, parser.ParseComments) //nolint:staticcheck // SA1019: build tags do not matter for comments.
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range files {
		for _, f := range p.Files {
			for _, decl := range f.Decls {
				if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.TYPE {
					c.read(g)
				}
			}
		}
	}
	return c
}

func (c comments) read(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		text := t.Doc.Text()
		if text == "" {
			text = g.Doc.Text()
		}
		c.types[t.Name.Name] = line(text)
		if s, ok := t.Type.(*ast.StructType); ok {
			c.fieldsOf(t.Name.Name, s)
		}
	}
}

func (c comments) fieldsOf(name string, s *ast.StructType) {
	said := ""
	for _, f := range s.Fields.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		// One comment may stand before several fields that it speaks of.
		if text == "" && len(f.Names) > 0 && strings.Contains(said, f.Names[0].Name) {
			text = said
		}
		said = text
		for _, n := range f.Names {
			c.fields[name+"."+n.Name] = line(text)
		}
	}
}

// line puts a comment on one line, as a sentence.
func line(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
