package cli

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
)

// settings are what a deployment needs to start. Each is a flag, an environment variable and a key of the file; the
// flag goes before the variable, and the variable before the file.
type settings struct {
	Config                 string   `placeholder:"FILE" env:"SALLYPORT_CONFIG" help:"Configuration file (default: ./sallyport.yaml, if it is there)."`
	Issuer                 string   `placeholder:"URL" env:"SALLYPORT_ISSUER" help:"Public https URL (default: http at the loopback address listened on)."`
	Listen                 string   `default:"127.0.0.1:8080" placeholder:"ADDRESS" env:"SALLYPORT_LISTEN" help:"Address and port to listen on."`
	Store                  string   `placeholder:"URL" env:"SALLYPORT_STORE" help:"Database: sqlite:FILE or mongodb://… (default: sqlite:./sallyport.db)."`
	StoreFile              string   `placeholder:"FILE" env:"SALLYPORT_STORE_FILE" help:"File that holds the database's URL, where that is a secret."`
	MasterKeyFile          string   `placeholder:"FILE" env:"SALLYPORT_MASTER_KEY_FILE" help:"File that holds the master key: 32 random bytes in base64 (SQLite: made beside a new database)."`
	PreviousMasterKeyFiles []string `placeholder:"FILE" env:"SALLYPORT_PREVIOUS_MASTER_KEY_FILES" help:"Files of the master keys of before, until everything is resealed."`
	TLSCertFile            string   `name:"tls-cert-file" placeholder:"FILE" env:"SALLYPORT_TLS_CERT_FILE" help:"Certificate chain in PEM, to serve https without a proxy."`
	TLSKeyFile             string   `name:"tls-key-file" placeholder:"FILE" env:"SALLYPORT_TLS_KEY_FILE" help:"Its private key in PEM."`
	TrustedProxies         []string `placeholder:"NETWORK" env:"SALLYPORT_TRUSTED_PROXIES" help:"Networks of proxies whose X-Forwarded-For is believed."`
	Product                string   `default:"Sallyport" env:"SALLYPORT_PRODUCT" help:"Name that pages, mails and authenticator apps show."`
	Theme                  string   `placeholder:"DIR" env:"SALLYPORT_THEME" help:"Folder of templates, texts, languages and static files that take the place of the built-in ones (default: none)."`
	PlacesFile             string   `placeholder:"FILE" env:"SALLYPORT_PLACES_FILE" help:"File in the MaxMind DB format that says in which city or country addresses are (default: none, so pages and mails show addresses alone)."`
	Factors                []string `placeholder:"FACTOR" env:"SALLYPORT_FACTORS" help:"Second steps on offer, the best first (default: webauthn where the issuer allows passkeys, totp, and sms where sms_sender is set)."`
	PasskeyAAGUIDs         []string `name:"passkey-aaguids" placeholder:"AAGUID" env:"SALLYPORT_PASSKEY_AAGUIDS" help:"Models of authenticators that passkeys may be on (default: all)."`
	MetricsListen          string   `placeholder:"ADDRESS" env:"SALLYPORT_METRICS_LISTEN" help:"Address and port that Prometheus finds /metrics at, such as 127.0.0.1:9090 (default: nowhere)."`
	WebhookNetworks        []string `placeholder:"NETWORK" env:"SALLYPORT_WEBHOOK_NETWORKS" help:"Private networks that tenants' webhooks may lead into (default: none, so public addresses only)."`
	WebhookHTTP            bool     `name:"webhook-http" env:"SALLYPORT_WEBHOOK_HTTP" help:"Let tenants' webhooks do without TLS."`
	LogLevel               string   `default:"info" env:"SALLYPORT_LOG_LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat              string   `default:"text" env:"SALLYPORT_LOG_FORMAT" help:"Format of the log: text or json."`

	SMS  smsSettings  `embed:""`
	Mail mailSettings `embed:""`

	file *file
	// flags are those that stood on the command line.
	flags map[string]bool
}

const defaultStore = "sqlite:./sallyport.db"

// BeforeResolve reads the file, so that it answers for what neither flag nor environment says.
func (s *settings) BeforeResolve(k *kong.Context) error {
	s.flags = map[string]bool{}
	path, named := os.LookupEnv("SALLYPORT_CONFIG")
	for _, p := range k.Path {
		if p.Flag == nil {
			continue
		}
		s.flags[p.Flag.Name] = true
		if p.Flag.Name == "config" {
			path, named = fmt.Sprint(k.FlagValue(p.Flag)), true
		}
	}
	if !named || path == "" {
		path, named = defaultConfig, false
	}
	var err error
	s.file, err = readFile(path, keysOf(k))
	if errors.Is(err, os.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, env := range flag.Envs {
			if _, ok := os.LookupEnv(env); ok {
				return nil, nil
			}
		}
		e, ok := s.file.entries[keyOf(flag.Name)]
		if !ok {
			return nil, nil
		}
		return e.resolve(flag)
	}))
	return nil
}

func keyOf(flag string) string {
	return strings.ReplaceAll(strings.TrimPrefix(flag, limitsPrefix), "-", "_")
}

// where tells which of the three ways a setting came by.
func (s *settings) where(key string) string {
	flag := strings.ReplaceAll(key, "_", "-")
	env := "SALLYPORT_" + strings.ToUpper(key)
	for _, flag := range []string{flag, limitsPrefix + flag} {
		if s.flags[flag] {
			return "--" + flag
		}
	}
	if _, ok := os.LookupEnv(env); ok {
		return "environment variable " + env
	}
	if s.file != nil {
		if e, ok := s.file.entries[key]; ok {
			return fmt.Sprintf("%s, line %d, %s", s.file.path, e.line, key)
		}
	}
	return key
}

// deployment is the settings once they are checked and files are read.
type deployment struct {
	issuer  string
	listen  string
	kind    Store
	url     string
	proxies []netip.Prefix
	// webhooks says where webhooks may lead.
	webhooks provider.Webhooks
	offer    offer
	// mail sends mails; nil keeps them in the database.
	mail mail.Sender
	// theme takes the place of templates, texts and static files; nil takes none's.
	theme fs.FS
	// sinks get every audit event.
	sinks []audit.Sink
	cert  *tls.Certificate
	// hasher replaces the way passwords are hashed; nil does not.
	hasher directory.Hasher
}

// checker collects findings.
type checker struct {
	*settings
	limits smsLimits
	found  findings
}

func (c *checker) add(key, what, do string) {
	c.found = append(c.found, finding{What: what, Where: c.where(key), Do: do})
}

// check reads the settings; the error is findings.
func (s *settings) check(plugins Plugins, limits smsLimits) (deployment, error) {
	c := &checker{settings: s, limits: limits}
	d := deployment{listen: s.Listen}
	d.issuer = c.issuer()
	d.kind, d.url = c.store(plugins)
	d.offer = c.offer(plugins, cmp.Or(d.issuer, c.loopbackIssuer(d.listen)))
	d.mail = c.mail()
	d.theme = c.theme()
	c.places()
	d.proxies = c.networks("trusted_proxies", c.TrustedProxies)
	d.webhooks = provider.Webhooks{AllowPrivate: c.networks("webhook_networks", c.WebhookNetworks), AllowHTTP: c.WebhookHTTP}
	d.cert = c.certificate()
	c.metrics()
	c.log()
	if len(c.found) > 0 {
		return d, c.found
	}
	return d, nil
}

func (c *checker) issuer() string {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		c.add("listen", fmt.Sprintf("%q is no address to listen on", c.Listen), "write it as 127.0.0.1:8080, or :8080 for all addresses")
		return ""
	}
	if c.Issuer == "" {
		if !loopbackHost(host) {
			c.add("issuer", "the issuer is missing, and "+c.Listen+" does not tell it",
				"set it to the https URL that users and applications reach the server at")
			return ""
		}
		if port == "0" {
			return "" // Known once it is listened on.
		}
		return c.loopbackIssuer(net.JoinHostPort(host, port))
	}
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		c.add("issuer", fmt.Sprintf("%q is no absolute URL without user, query and fragment", c.Issuer), "write it as https://id.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopbackHost(u.Hostname())):
		c.add("issuer", fmt.Sprintf("issuer %q is not https", c.Issuer), "use https; plain http is for loopback addresses only")
	}
	return c.Issuer
}

func (s *settings) loopbackIssuer(address string) string {
	if s.TLSCertFile != "" {
		return "https://" + address
	}
	return "http://" + address
}

func loopbackHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// store finds the kind of database. The URL may hold a password, so none of the words here repeat it.
func (c *checker) store(plugins Plugins) (Store, string) {
	u, key := c.Store, "store"
	if c.StoreFile != "" {
		if u != "" {
			c.add("store_file", "store and store_file are both set", "leave one out")
			return Store{}, ""
		}
		key = "store_file"
		text, err := readSecret(c.StoreFile)
		if err != nil {
			c.add(key, err.Error(), "name a file that holds the database's URL")
			return Store{}, ""
		}
		u = text
	}
	u = cmp.Or(u, defaultStore)
	scheme, rest, ok := strings.Cut(u, ":")
	kind, known := plugins.Stores[scheme]
	kinds := strings.Join(sorted(plugins.Stores), ", ")
	switch {
	case !ok || strings.ContainsAny(scheme, `/\.`):
		c.add(key, "the database's URL does not say of which kind it is", "begin it with sqlite: or mongodb://")
	case !known:
		c.add(key, fmt.Sprintf("there is no kind of database %q", scheme), "choose from "+kinds)
	case rest == "" || rest == "//":
		c.add(key, "the database's URL ends after "+scheme+":", "write it as sqlite:./sallyport.db or mongodb://host/sallyport")
	}
	return kind, u
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *checker) networks(key string, texts []string) []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, errAddr := netip.ParseAddr(text); errAddr == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			c.add(key, fmt.Sprintf("%q is no network", text), "write it as 10.0.0.0/8, or a single address")
			continue
		}
		networks = append(networks, p.Masked())
	}
	return networks
}

func (c *checker) certificate() *tls.Certificate {
	switch {
	case c.TLSCertFile == "" && c.TLSKeyFile == "":
		return nil
	case c.TLSCertFile == "":
		c.add("tls_key_file", "there is a private key without a certificate", "set tls_cert_file too")
		return nil
	case c.TLSKeyFile == "":
		c.add("tls_cert_file", "there is a certificate without its private key", "set tls_key_file too")
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		c.add("tls_cert_file", "the certificate can't be used: "+err.Error(), "check both files: PEM, and made for each other")
		return nil
	}
	return &pair
}

func (c *checker) log() {
	if _, ok := level(c.LogLevel); !ok {
		c.add("log_level", fmt.Sprintf("there is no log level %q", c.LogLevel), "choose debug, info, warn or error")
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		c.add("log_format", fmt.Sprintf("there is no log format %q", c.LogFormat), "choose text or json")
	}
}

func level(name string) (slog.Level, bool) {
	l, ok := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[name]
	return l, ok
}

// logger writes where the program's errors go, as the settings say, which were checked.
func (s *settings) logger(w *world) *slog.Logger {
	least, _ := level(s.LogLevel)
	// Libraries that write to the default logger have nothing to tell that an operator asked for, unless it is bad.
	w.setDefault(s.loggerAt(w.err, max(least, slog.LevelWarn)))
	return s.loggerAt(w.err, least)
}

func (s *settings) loggerAt(w io.Writer, least slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: least}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
