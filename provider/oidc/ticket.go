package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// Codes and refresh tokens are tickets: opaque to who holds them, and to us the name of a grant with proof that we
// gave the ticket out. In bytes, before base64url:
//
//	22  tag: the first 132 bits of a keyed hash of the rest, for this kind of ticket, in base64url
//	16  random
//	…   the grant's ID, a full stop, the tenant's ID
//
// The tag spares storage the guesses of strangers, keeps one kind from passing for another, and tells an old ticket of
// ours, whose use is a theft, from one that somebody made up to end a grant that is not theirs. It is not what lets
// anybody in: a ticket counts only where the grant holds the hash of the whole of it.
type kind string

const (
	ticketCode    kind = "authorization code"
	ticketRefresh kind = "refresh token"
)

const (
	tagSize    = 22
	randomSize = 16
	maxTicket  = 512
)

// ticketEncoding is strict, so that a ticket has one spelling.
var ticketEncoding = base64.RawURLEncoding.Strict()

// ticket is a ticket that was read.
type ticket struct{ tenant, grant string }

// issue makes a ticket for a grant, and the hash that the grant keeps of it.
func (p *Provider) issue(k kind, tenant, grant string) (text, hash string) {
	payload := make([]byte, randomSize, randomSize+len(grant)+1+len(tenant))
	// Since Go 1.24 crypto/rand.Read never fails: the program ends instead.
	_, _ = rand.Read(payload)
	payload = append(payload, grant+"."+tenant...)
	text = ticketEncoding.EncodeToString(append(p.tag(k, payload), payload...))
	return text, p.c.Keys.Hash(string(k), text)
}

// read returns what a ticket names, and false for what we never gave out as such.
func (p *Provider) read(k kind, text string) (ticket, bool) {
	if len(text) > maxTicket || strings.ContainsAny(text, "\r\n") {
		return ticket{}, false
	}
	raw, err := ticketEncoding.DecodeString(text)
	if err != nil || len(raw) <= tagSize+randomSize {
		return ticket{}, false
	}
	if !hmac.Equal(raw[:tagSize], p.tag(k, raw[tagSize:])) {
		return ticket{}, false
	}
	grant, tenant, ok := strings.Cut(string(raw[tagSize+randomSize:]), ".")
	return ticket{tenant, grant}, ok && grant != "" && tenant != ""
}

// current tells whether hash is that of the ticket.
func (p *Provider) current(k kind, hash, text string) bool {
	return p.c.Keys.Equal(hash, string(k), text)
}

func (p *Provider) tag(k kind, payload []byte) []byte {
	return []byte(p.c.Keys.Hash(string(k)+" tag", string(payload)))[:tagSize]
}
