package main

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// config is the settings file of one gate: where things are and how they are wired. What
// the region decides (issuers, fever line, how old a code may be) is not in it: that is in
// the signed files of the trust folder.
type config struct {
	Name        string        `toml:"name"`        // of this gate in book, log and region: "hangzhou-east-7"
	Book        string        `toml:"book"`        // file of the gate's book
	Camera      string        `toml:"camera"`      // "v4l2:/dev/video0", "file:frames", "sim:people.jsonl", "serial:/dev/ttyACM0"
	Thermometer string        `toml:"thermometer"` // "mlx90614:/dev/i2c-1", "sim:skin.jsonl", "none"
	Barrier     string        `toml:"barrier"`     // "gpio:GPIO17?active=high&pulse=800ms", "note:"
	Lights      string        `toml:"lights"`      // "gpio:?active=high&green=GPIO22&amber=GPIO23&red=GPIO24", "none"
	Trust       trustConfig   `toml:"trust"`
	Site        siteConfig    `toml:"site"`
	Console     consoleConfig `toml:"console"`
	Guards      []guardConfig `toml:"guard"`
	Region      regionConfig  `toml:"region"`
}

type trustConfig struct {
	Folder string           `toml:"folder"` // the gate's own: what it adopted of the regions' signed files
	Root   string           `toml:"root"`   // file of the nation's root that came with the gate
	Site   gatehouse.Issuer `toml:"site"`   // the region whose rules bind this gate, or a part of it: "CN-330106"
	Stick  string           `toml:"stick"`  // a folder that may hold a newer repository, as a stick that people plug in
	Beat   duration         `toml:"beat"`   // between two looks at the region's server; default "5m"
}

// siteConfig joins the gates of one site, which tell each other over the local network whose
// codes they have just let in. Without listen this gate remembers alone.
type siteConfig struct {
	Listen string   `toml:"listen"` // "192.0.2.7:8441"
	Peers  []string `toml:"peers"`  // where the others listen
	Key    string   `toml:"key"`    // file of 64 hex digits, the same at all of them
}

type consoleConfig struct {
	Listen string `toml:"listen"` // "127.0.0.1:8440"
	Token  string `toml:"token"`  // asked of every page but the public one
	Sound  string `toml:"sound"`  // "off", "neutral", "distinct"
	Blue   bool   `toml:"blue"`   // admit in blue, for guards who cannot tell red from green
}

type guardConfig struct {
	Name string `toml:"name"`
	PIN  string `toml:"pin"` // as `gatectl pin` prints it, never the digits
}

type regionConfig struct {
	URL  string   `toml:"url"`  // "https://region.example:8443"; empty: the book waits on the gate
	CA   string   `toml:"ca"`   // PEM file of who vouches for the region's certificate
	Key  string   `toml:"key"`  // PEM file of the gate's own key
	Beat duration `toml:"beat"` // between two attempts when no new row calls for one; default "30s"

	// LongestWait is how far apart attempts may drift while the region does not answer;
	// default "10m". A region that comes back is met by all its gates at once otherwise.
	LongestWait duration `toml:"longest_wait"`
}

// duration reads "30s" and "5m" from TOML.
type duration time.Duration

func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = duration(v)
	return err
}

func (c *config) Check(fault func(key, what, hint string)) {
	need := func(key, value, hint string) {
		if value == "" {
			fault(key, "is missing", hint)
		}
	}
	need("name", c.Name, `as in name = "hangzhou-east-7"`)
	if strings.ContainsFunc(c.Name, func(r rune) bool { return !strings.ContainsRune(nameLetters, r) }) || len(c.Name) > 64 || strings.HasPrefix(c.Name, "-") {
		fault("name", "may hold a to z, 0 to 9 and, but for the first, hyphens, 64 at most: it is part of addresses", "")
	}
	if c.Lights == "" {
		c.Lights = "none"
	}
	for _, s := range []struct{ key, source, kinds string }{
		{"camera", c.Camera, "v4l2 file sim opencv serial hid"},
		{"thermometer", c.Thermometer, "mlx90614 sim none"},
		{"barrier", c.Barrier, "gpio note"},
		{"lights", c.Lights, "gpio note none"},
	} {
		kind, _, _ := strings.Cut(s.source, ":")
		if s.source != "" && !slices.Contains(strings.Fields(s.kinds), kind) {
			fault(s.key, "begins with none of "+s.kinds, "and a colon: the settings file that comes with the gate shows each")
		}
	}
	need("book", c.Book, `as in book = "/var/lib/gatehouse/book.db"`)
	need("camera", c.Camera, `as in camera = "v4l2:/dev/v4l/by-id/..."`)
	need("thermometer", c.Thermometer, `as in thermometer = "mlx90614:/dev/i2c-1", or "none"`)
	need("barrier", c.Barrier, `as in barrier = "gpio:GPIO17?active=high&pulse=800ms", or "note:" for none`)
	need("trust.folder", c.Trust.Folder, `as in folder = "/var/lib/gatehouse/trust"`)
	need("trust.root", c.Trust.Root, `as in root = "/etc/gatehouse/root.json": the nation's first root, as people were given it`)
	need("trust.site", string(c.Trust.Site), `as in site = "CN-330106": the region whose rules bind this gate, or a part of it`)
	if c.Trust.Site != "" && !siteForm.MatchString(string(c.Trust.Site)) {
		fault("trust.site", "is no region", "a country, or a country and a division code of two, four or six digits: CN-330106")
	}
	if c.Trust.Beat == 0 {
		c.Trust.Beat = duration(5 * time.Minute)
	}
	if c.Trust.Beat < duration(time.Second) {
		fault("trust.beat", "is shorter than 1s", `as in beat = "5m"`)
	}
	if c.Site.Listen != "" {
		need("site.key", c.Site.Key, `a file of 64 hex digits, the same at all gates of the site: openssl rand -hex 32`)
	} else if len(c.Site.Peers) > 0 {
		fault("site.listen", "is missing: who tells others must hear them", `as in listen = "192.0.2.7:8441"`)
	}
	if c.Console.Listen == "" {
		c.Console.Listen = "127.0.0.1:8440"
	}
	c.checkConsole(fault)
	if c.Region.URL != "" {
		if u, err := url.Parse(c.Region.URL); err != nil || u.Scheme != "https" || u.Host == "" {
			fault("region.url", "is no https address", `as in url = "https://region.example:8443"`)
		}
		need("region.ca", c.Region.CA, "the file that `regiond` was given as certificate")
		need("region.key", c.Region.Key, "the gate.key that `gatectl init` made")
	}
	if c.Region.Beat == 0 {
		c.Region.Beat = duration(30 * time.Second)
	}
	if c.Region.LongestWait == 0 {
		c.Region.LongestWait = duration(10 * time.Minute)
	}
	if c.Region.LongestWait < duration(time.Second) {
		fault("region.longest_wait", "is shorter than 1s", `as in longest_wait = "10m"`)
	}
	if c.Region.Beat < duration(100*time.Millisecond) {
		fault("region.beat", "is shorter than 100ms", `as in beat = "30s"`)
	}
}

var siteForm = regexp.MustCompile(`^[A-Z]{2}(-([0-9]{2}){1,3})?$`)

const nameLetters = "abcdefghijklmnopqrstuvwxyz0123456789-"

func (c *config) checkConsole(fault func(key, what, hint string)) {
	host, _, err := net.SplitHostPort(c.Console.Listen)
	if err != nil {
		fault("console.listen", "is no address with a port", `as in listen = "127.0.0.1:8440"`)
	} else if ip := net.ParseIP(host); c.Console.Token == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		fault("console.token", "is missing: the guard's page names people, and this address is open to others", "or listen on 127.0.0.1")
	}
	switch c.Console.Sound {
	case "":
		c.Console.Sound = "neutral"
	case "off", "neutral", "distinct":
	default:
		fault("console.sound", "is none of off, neutral, distinct", "")
	}
	names := map[string]bool{}
	for _, g := range c.Guards {
		switch {
		case g.Name == "" || g.PIN == "":
			fault("guard", "a guard has a name and a pin", "`gatectl pin` makes one")
		case !strings.HasPrefix(g.PIN, "pbkdf2-sha256$"):
			fault("guard.pin", g.Name+"'s is not what `gatectl pin` prints: a PIN itself must not stand in a file", "gatectl pin")
		case names[g.Name]:
			fault("guard", "two guards are called "+g.Name, "decisions are written down by name")
		}
		names[g.Name] = true
	}
}
