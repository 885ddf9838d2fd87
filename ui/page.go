package ui

// Page is one page's data. The struct is what its template is given, and what the API answers as JSON.
//
// Paths in pages start with a slash and are relative to the issuer; templates put the issuer's own path before them.
type Page interface {
	// Template is the name of the page's template, without its ending.
	Template() string
}

// Frame is what surrounds every page.
type Frame struct {
	// Lang is a BCP 47 tag that the catalogues have.
	Lang string
	// Base is the issuer's path, without a slash at its end.
	Base string
	// Product is the deployment's name; Tenant the tenant's, once it is known who is asking.
	Product, Tenant string
	// Brand is how the tenant's pages look, once the tenant is known.
	Brand Brand
	// Account is the signed-in user's e-mail address or user name; empty on sign-in pages.
	Account string
	// Administers: the signed-in user is an owner or admin of the tenant.
	Administers bool
	// Anew is where the page can be had in another language: its own path and query. It is empty where that can't be; who is
	// signed in has a setting instead. Over is sent along with the choice of a language; see provider/web.
	Anew, Over string
	// Request identifies the request in the log; it is shown with errors.
	Request string
}

// Brand is how a tenant's pages look. The zero Brand is the deployment's own look.
type Brand struct {
	// Logo is the path of the picture beside the name, of LogoWidth×LogoHeight pixels.
	Logo       string `json:"logo,omitempty"`
	LogoWidth  int    `json:"logo_width,omitempty"`
	LogoHeight int    `json:"logo_height,omitempty"`
	// Accent is the colour that was chosen, as Accent.Chosen.
	Accent string `json:"accent,omitempty"`
	// Help, Privacy and Terms are URLs that the foot of pages links to.
	Help    string `json:"help_url,omitempty"`
	Privacy string `json:"privacy_url,omitempty"`
	Terms   string `json:"terms_url,omitempty"`
}

// Factor is a factor or credential as it is shown in lists and headings.
type Factor struct {
	// ID is the factor's ("totp"); templates look for its own words under "factor.ID.…".
	ID string `json:"id"`
	// Name is the factor's English name, for factors without words in the catalogues.
	Name string `json:"name"`
}

// Confirm asks once before something that can't be undone, or that a link could have begun.
type Confirm struct {
	Title  Text   `json:"title"`
	Body   Text   `json:"body"`
	Button Text   `json:"button"`
	Action string `json:"action"`
	// Fields are sent along, hidden.
	Fields []Pair `json:"fields,omitempty"`
	Cancel string `json:"cancel"`
	Danger bool   `json:"danger,omitempty"`
}

// Choice is one of several.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Pair is a name and its value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Note says that something is done or how things stand, and where to go on.
type Note struct {
	Title Text `json:"title"`
	Body  Text `json:"body,omitzero"`
	// Next is where its button leads; empty: no button. It may be an absolute URL.
	Next   string `json:"next,omitempty"`
	Button Text   `json:"button,omitzero"`
}

// Error says what went wrong, in words for people, and what to do.
type Error struct {
	Title Text `json:"title"`
	Body  Text `json:"body,omitzero"`
	// Request identifies the request in the log.
	Request string `json:"request,omitempty"`
	// Next is where to go on, if there is such a place.
	Next   string `json:"next,omitempty"`
	Button Text   `json:"button,omitzero"`
}

// FormPost carries an authorization response to an application by POST (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	App    string `json:"app"`
	Action string `json:"action"`
	Fields []Pair `json:"fields"`
}

// Template names the page's template.
func (Confirm) Template() string  { return "confirm" }
func (Note) Template() string     { return "note" }
func (Error) Template() string    { return "error" }
func (FormPost) Template() string { return "form_post" }
