package ui

import "slices"

// Sample is one page in one state, for the gallery and the tests.
type Sample struct {
	// Name is lower-case words and hyphens.
	Name  string
	Frame Frame
	Page  Page
}

// GalleryQR is where the sample of the set-up page expects its picture, relative to the issuer.
const GalleryQR = "/dev/gallery/qr.png"

// Group is the samples of pages that belong together.
type Group struct {
	// Name is what developers call them.
	Name    string
	Samples []Sample
}

// GalleryGroups shows every page, empty and full, with its problems.
func GalleryGroups() []Group {
	return []Group{
		{"Signing in", signInSamples()},
		{"The second step", codeSamples()},
		{"Setting up", slices.Concat(setUpSamples(), sentSetUpSamples())},
		{"The account", slices.Concat(accountSamples(), securitySamples(), wholeSecuritySamples(), detailsSamples())},
		{"Links in mails", linkSamples()},
		{"People", slices.Concat(peopleSamples(), importSamples())},
		{"Policy", policySamples()},
		{"Applications and programs", connectedSamples()},
		{"Audit log and adoption", auditSamples()},
		{"Settings and branding", settingsSamples()},
		{"Help", helpSamples()},
		{"Ends and failures", plainSamples()},
	}
}

// Gallery is the samples of all groups.
func Gallery() []Sample {
	var all []Sample
	for _, g := range GalleryGroups() {
		all = append(all, g.Samples...)
	}
	return all
}

func outside() Frame { return Frame{Lang: "en", Product: "Sallyport", Anew: PathSignIn} }

func inside() Frame {
	return Frame{Lang: "en", Product: "Sallyport", Tenant: "Harbour & Sons", Account: "olga@example.com"}
}

func totpFactor() Factor     { return Factor{ID: "totp", Name: "Authenticator app"} }
func backupFactor() Factor   { return Factor{ID: "backup", Name: "Backup codes"} }
func smsFactor() Factor      { return Factor{ID: "sms", Name: "Text message"} }
func passkeyFactor() Factor  { return Factor{ID: "webauthn", Name: "Passkey"} }
func recoveryFactor() Factor { return Factor{ID: "recovery", Name: "Recovery code"} }
func otherFactor() Factor    { return Factor{ID: "pigeon", Name: "Carrier pigeon"} }

func plainSamples() []Sample {
	signOut := AskSignOut.Page(PathSignOut, PathAccount)
	signOut.Fields = []Pair{{"state", "x"}}
	all := []Sample{
		{"sign-out", inside(), signOut},
		{"signed-out", outside(), SignedOut(PathSignIn)},
		{"signed-out-end", outside(), SignedOut("")},
		{"form-post", outside(), FormPost{App: "Ledger", Action: "https://ledger.example/callback", Fields: []Pair{{"code", "c"}, {"state", "s"}}}},
		{"form-post-plain", outside(), FormPost{Action: "https://ledger.example/callback"}},
	}
	for _, f := range []struct {
		name string
		page Error
	}{
		{"error-unknown-client", FailUnknownClient.Page("")},
		{"error-redirect-uri", FailRedirectURI.Page("")},
		{"error-bad-request", FailBadRequest.Page("")},
		{"error-not-found", FailNotFound.Page(PathAccount)},
		{"error-wrong-browser", FailWrongBrowser.Page("")},
		{"error-expired", FailExpired.Page(PathAccount)},
		{"error-too-many-requests", FailTooManyRequests.Page(PathSignIn, "n", 1)},
		{"error-internal", FailInternal.Page("")},
		{"error-unavailable", FailUnavailable.Page(PathSignIn)},
		{"error-forbidden", FailForbidden.Page(PathAccount)},
		{"error-denied", FailDenied.Page("", "rule", "Office networks only")},
		{"error-required", Required("Staff use a second step", PathAccount)},
		{"error-required-no-rule", Required("", PathAccount)},
		{"error-recovery-needed", FailRecoveryNeeded.Page("")},
		{"error-link", FailLink.Page(PathAccount)},
		{"error-changed", FailChanged.Page(PathAccount)},
		{"error-hook", Hooked("The office is closed on Sundays.", "")},
		{"error-hook-no-reason", Hooked("", PathAccount)},
	} {
		f.page.Request = "01JNZ8QK7V"
		all = append(all, Sample{f.name, outside(), f.page})
	}
	return all
}
