package storage

import (
	"fmt"
	"time"
)

// Event is one entry of a tenant's audit log. Its ID is its place in the chain, twenty decimal digits.
type Event struct {
	Key  `bson:",inline"`
	Time time.Time `json:"time"`
	// Action names what was tried, such as "sign_in.password"; Outcome is "ok", "refused" or "failed".
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	// Actor is who did it (a user ID, a client ID or "operator"), User whom it was done to.
	Actor  string `json:"actor,omitempty"`
	User   string `json:"user,omitempty"`
	Client string `json:"client,omitempty"`
	Factor string `json:"factor,omitempty"`
	// Rule is the name of the policy rule that decided.
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Reports are the IDs of the report-only rules that would have decided, with a space between.
	Reports string `json:"reports,omitempty"`
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
	Request string `json:"request,omitempty"`
	// Previous is the Hash of the entry before; Hash covers every other field but Version.
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// Kind says how events are kept.
func (Event) Kind() Kind { return Kind{Name: "events", Indexes: []string{"user"}} }

// Message is a mail or SMS on its way out.
type Message struct {
	Key `bson:",inline"`
	// Channel is "mail" or "sms".
	Channel string `json:"channel"`
	To      string `json:"to"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	// HTML says the same as Text in HTML; empty where there is none.
	HTML    string    `json:"html,omitempty"`
	Created time.Time `json:"created"`
	// Sealed is a message that waits to be sent: whole, under the master key, because it may hold a link. Then the texts
	// above are empty.
	Sealed []byte `json:"sealed,omitempty"`
	// Tries counts how often it was tried to send it, Next is when it is tried again.
	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"`
}

// ShownFor is how long a message is kept that is there to be looked at.
const ShownFor = 24 * time.Hour

// Shown is the message as an outbox keeps it to be looked at by whoever runs the deployment, and not by its tenants: under
// Global. id tells it from others of the same moment; the time comes first in its ID, so that all are listed in order.
func (m Message) Shown(id string, now time.Time) *Message {
	m.Key = Key{Tenant: Global, ID: fmt.Sprintf("%020d-%s", now.UnixNano(), id), Expires: now.Add(ShownFor)}
	m.Created = now
	return &m
}

// Kind says how messages are kept.
func (Message) Kind() Kind { return Kind{Name: "messages", Expiring: true} }

// Tally is how many users a tenant had on a day, and what it spent. Its ID is the day, as 2006-01-02 in UTC.
type Tally struct {
	Key `bson:",inline"`
	// Types are the counts by user type.
	Types map[string]TypeTally `json:"types"`
	// SMS is how many text messages were sent on that day.
	SMS int `json:"sms,omitempty"`
}

// TypeTally counts the users of one type.
type TypeTally struct {
	// Users is how many there are.
	Users int `json:"users"`
	// TwoFactor counts those who have a second step set up.
	TwoFactor int `json:"two_factor"`
}

// Kind says how tallies are kept.
func (Tally) Kind() Kind { return Kind{Name: "tallies", Expiring: true} }

// Reply is what a request to the API was answered that must not be carried out twice. Its ID stands for the caller and the
// key that the caller gave it.
type Reply struct {
	Key `bson:",inline"`
	// Request is the hash of what was asked: the same key for something else is a mistake.
	Request string `json:"request"`
	// Status is the HTTP status, 0 while the request is still being answered; Sealed is the answer, which may hold a secret.
	Status int    `json:"status,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
}

// Kind says how replies are kept.
func (Reply) Kind() Kind { return Kind{Name: "replies", Expiring: true} }

// Upload is a file that a user brought and that waits for a yes. Its ID is the user's, so that another takes its place.
type Upload struct {
	Key `bson:",inline"`
	// Ticket tells it from the one that took its place.
	Ticket string `json:"ticket"`
	// Format is how the file is written, and Update whether it changes what is there already.
	Format string `json:"format"`
	Update bool   `json:"update,omitempty"`
	// Sealed is the file, piece by piece: there may be password hashes in it. It goes once the file is imported.
	Sealed []string `json:"sealed"`
	// Lines is how many lines the file has.
	Lines int `json:"lines,omitempty"`
	// State is an Upload… constant, and Beat when it was last seen to be so.
	State string    `json:"state,omitempty"`
	Beat  time.Time `json:"beat,omitzero"`
	// Report is what has come of it so far, as JSON, and Failed a word for why no more did.
	Report []byte `json:"report,omitempty"`
	Failed string `json:"failed,omitempty"`
}

// How far an Upload is.
const (
	// UploadWaiting: for the yes.
	UploadWaiting = ""
	// UploadRunning: it is being imported, or was broken off where Beat is long ago.
	UploadRunning = "running"
	// UploadFailed: it was broken off, for the reason in Failed.
	UploadFailed = "failed"
	// UploadDone: all of it is imported.
	UploadDone = "done"
)

// Kind says how uploads are kept.
func (Upload) Kind() Kind { return Kind{Name: "uploads", Expiring: true} }
