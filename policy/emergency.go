package policy

import (
	"time"

	"gatehouse"
)

// emergency says how a policy that lies ready comes into force.
type emergency struct {
	signed bool // by an Activation that names it; else by its own date
	days   int  // the longest that one activation lasts
}

func (doc *document) emergencyOf(p *Policy, f *faults) {
	d := doc.Emergency
	if p.mode != Emergency {
		if f.has("emergency") {
			f.at("emergency", "it belongs to mode = \"emergency\"")
		}
		return
	}
	switch d.Activation {
	case "date":
		if !f.has("not_before") {
			f.at("not_before", "missing: the instant at which the emergency policy comes into force")
		} else if p.span.until.Sub(p.span.from) > maxSpanOf {
			f.at("until", "an emergency policy holds at most %s", spell(maxSpanOf))
		}
	case "signed":
		p.emergency.signed = true
	default:
		f.at("emergency.activation", "%.20q, want date (it begins at not_before) or signed (it begins with a signed activation that names it)", d.Activation)
	}
	if p.emergency.days = d.MaxDays; p.emergency.signed && (d.MaxDays < 1 || d.MaxDays > 30) {
		f.at("emergency.max_days", "%d, want 1 to 30: how long one activation may last", d.MaxDays)
	}
}

// An Activation brings an emergency policy into force that the region signed before: a
// small signed document of its own, so that a region in trouble has to sign three lines and
// not a policy. It reaches a gate as a policy does; a stick is enough.
type Activation struct {
	Site   gatehouse.Issuer
	Policy string // the name of the emergency policy: "CN-330100/emergency-3"
	Issued time.Time
	From   time.Time // when it begins; zero: at once
	Until  time.Time // when it ends by itself
	Why    gatehouse.Words
}

type activationDoc struct {
	Kind   string `toml:"kind"`
	Site   string `toml:"site"`
	Policy string `toml:"policy"`
	Issued any    `toml:"issued"`
	From   any    `toml:"from"`
	Until  any    `toml:"until"`
	Zone   string `toml:"zone"`
	Zh     string `toml:"zh"`
	En     string `toml:"en"`
}

// ReadActivation checks an activation's text. As Read, it proves nothing about who wrote it.
func ReadActivation(body []byte) (Activation, error) {
	var d activationDoc
	f := open(body, &d)
	if f.lines == nil {
		return Activation{}, f.err()
	}
	if d.Kind != "activation" {
		f.at("kind", "%.20q, want \"activation\"", d.Kind)
	}
	z, err := readZone(d.Zone)
	if err != nil {
		f.at("zone", "%v", err)
	}
	a := Activation{Site: region("site", d.Site, f), Policy: d.Policy, Why: gatehouse.Words{Zh: d.Zh, En: d.En}}
	a.Issued = z.readMoment("issued", d.Issued, false, f)
	s := z.readSpan("", d.From, d.Until, f)
	a.From, a.Until = s.from, s.until
	if a.Issued.IsZero() || a.Until.IsZero() {
		f.at("until", "issued and until are needed: an emergency ends by itself")
	}
	if a.Policy == "" {
		f.at("policy", "missing: the name of the policy that comes into force")
	}
	if a.Why.Zh == "" || a.Why.En == "" {
		f.at("zh", "zh and en are missing: what people are told")
	}
	return a, f.err()
}

// InForce gives the policy to judge by at an instant: the emergency policy while its date
// or an activation of it holds, or else the everyday one. A nil emergency or activation is
// none. What an activation cannot do: begin before it was issued, last longer than the
// policy allows, or outlive the policy. An emergency policy in the place of the everyday one
// is none: nobody said that there is an emergency.
func InForce(at time.Time, everyday, urgent *Policy, a *Activation) *Policy {
	if urgent.active(at, a) && (everyday == nil || urgent.site == everyday.site) {
		return urgent
	}
	if everyday.Mode() == Emergency {
		return nil
	}
	return everyday
}

func (p *Policy) active(at time.Time, a *Activation) bool {
	if p == nil || p.mode != Emergency || !p.span.holds(at) {
		return false
	}
	if !p.emergency.signed {
		return true
	}
	if a == nil || a.Site != p.site || a.Policy != p.Name() {
		return false
	}
	from := a.Issued
	if a.From.After(from) {
		from = a.From
	}
	return span{from, a.Until}.holds(at) && a.Until.Sub(from) <= time.Duration(p.emergency.days)*24*time.Hour
}
