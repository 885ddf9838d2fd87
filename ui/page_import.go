package ui

// Import asks for a file of users, and leads to files of those who are there.
type Import struct {
	// Action takes the file, by POST. Lines is how many lines it may have.
	Action string `json:"action"`
	Lines  int    `json:"lines"`
	// Types are the IDs of the tenant's user types, Update what was ticked, and Problem why the file was refused.
	Types   []string `json:"types"`
	Update  bool     `json:"update,omitempty"`
	Problem Text     `json:"problem,omitzero"`
	// CSV and JSONLines are downloads of all users; Back leads to the list.
	CSV       string `json:"csv"`
	JSONLines string `json:"json_lines"`
	Back      string `json:"back"`
}

// Importing says how far an import is.
type Importing struct {
	// Done is how many of the file's lines are done, Of how many it has.
	Done int `json:"done"`
	Of   int `json:"of"`
	// Here is where the page itself is: it is looked at again until the import has ended, and then says what came of it.
	Here string `json:"here"`
	// Problem is why it was broken off; Action then begins it again with that Ticket, by POST.
	Problem Text   `json:"problem,omitzero"`
	Action  string `json:"action,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	// Back leads to the list of people.
	Back string `json:"back"`
}

// Template implements Page.
func (Importing) Template() string { return "importing" }

func (p Importing) problem() Text { return p.Problem }

// ImportReport says what would come of a file, or what came of it.
type ImportReport struct {
	// Done: it is imported.
	Done bool `json:"done,omitempty"`
	// Created, Updated, Skipped and Refused count lines.
	Created int `json:"created"`
	Updated int `json:"updated"`
	Skipped int `json:"skipped"`
	Refused int `json:"refused"`
	// Rows are the first lines that were refused.
	Rows []ImportRow `json:"rows"`
	// Action imports the file of that Ticket, by POST, within so many Minutes; it is empty where there is nothing to import.
	Action  string `json:"action,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	Minutes int    `json:"minutes,omitempty"`
	// Back leads to the form, or, where it is imported, to the list of people.
	Back string `json:"back"`
}

// All is how many users would be added or changed.
func (r ImportReport) All() int { return r.Created + r.Updated }

// More is how many lines were refused beside those in Rows.
func (r ImportReport) More() int { return r.Refused - len(r.Rows) }

// ImportRow is one line that was refused.
type ImportRow struct {
	Line int `json:"line"`
	// Account is the e-mail address or user name that the line has, if any.
	Account string `json:"account,omitempty"`
	Says    Text   `json:"says"`
}

// Template implements Page.
func (Import) Template() string { return "import" }

// Template implements Page.
func (ImportReport) Template() string { return "import_report" }

func (p Import) problem() Text { return p.Problem }
