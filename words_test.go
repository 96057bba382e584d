package gatehouse

import "testing"

func TestZeroValuesStayShut(t *testing.T) {
	if (Verdict{}).Call != Deny {
		t.Error("the zero verdict is not Deny")
	}
	if (Measurement{}).Quality != NotMeasured {
		t.Error("the zero measurement was measured")
	}
	if (Pass{}).Grade == Green {
		t.Error("the zero pass is green")
	}
	if (Fact{}).Result == Negative {
		t.Error("the zero test is negative")
	}
}

func TestRegionHoldsItsParts(t *testing.T) {
	for _, c := range []struct {
		issuer, region Issuer
		want           bool
	}{
		{"CN-330100", "CN-330100", true},
		{"CN-330106", "CN-330100", true}, // Xihu district of Hangzhou
		{"CN-330106", "CN-33", true},
		{"CN-330106", "CN-330000", true},
		{"CN-330106", "CN", true},
		{"CN-330100", "CN-330106", false}, // a city is no part of its district
		{"CN-340100", "CN-33", false},
		{"DE", "DE", true},
		{"DE", "D", false},
		{"CNX-330100", "CN-33", false},
		{"CN-330100", "CN-", false}, // a slip of the pen is not the whole country
		{"", "", false},
		{"DE", "", false},
		{"", "DE", false},
	} {
		if got := c.issuer.Within(c.region); got != c.want {
			t.Errorf("%q within %q: %v, want %v", c.issuer, c.region, got, c.want)
		}
	}
}

func TestCallsKeepTheirWords(t *testing.T) {
	for _, c := range []Call{Deny, Refer, Admit, Hint} {
		b, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Call
		if err := got.UnmarshalText(b); err != nil || got != c {
			t.Errorf("%s came back as %v, %v", b, got, err)
		}
	}
	var c Call
	if err := c.UnmarshalText([]byte("open")); err == nil || c != Deny {
		t.Errorf("a word that is no call gave %v, %v", c, err)
	}
}

func TestTemperatureReadsAsADisplayDoes(t *testing.T) {
	for mk, want := range map[Temperature]string{36_600: "36.6 °C", 36_649: "36.6 °C", -5_000: "-5.0 °C", 0: "0.0 °C"} {
		if got := mk.String(); got != want {
			t.Errorf("%d: %q, want %q", mk, got, want)
		}
	}
}
