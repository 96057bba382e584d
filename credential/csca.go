package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// A state's Country Signing Certification Authority (ICAO Doc 9303, part 12) certifies the keys
// that sign its travel documents and its seals. Its key stands in the trust list with the usage
// "certify", under its subject key identifier; a code brings along the certificate of the key
// that signed it.

const (
	maxCertificate = 4 << 10 // bytes of DER; what a code carries has less than one KB
	maxCSCABits    = 8192    // of an RSA key

	purposeSeal = "2.23.136.1.1.14.2" // extended key usage of a VDS-NC signer
)

// documentTypes is the extension that lists what a signer may sign (Doc 9303, part 12, section
// 7.1): "NV" a proof of vaccination, "NT" one of a test (VDS-NC, section 5).
var documentTypes = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}

// soundSignatures are those that a certificate may have (Doc 9303, part 12, section 4.4). They are
// named because CheckSignature of crypto/x509 takes SHA-1 as well.
var soundSignatures = []x509.SignatureAlgorithm{
	x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
	x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
}

// parseCarried reads the certificate that a code carries.
func parseCarried(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("a certificate of %d bytes, at most %d", len(der), maxCertificate)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("no certificate that can be read")
	}
	return certificate, nil
}

// certifiedBy gives the keys of the trust that certify a certificate for a country: of all that
// answer to its authority key identifier, those that may certify and made its signature.
func certifiedBy(v Verifier, certificate *x509.Certificate, country gatehouse.Issuer) []Key {
	if v.Keys == nil || len(certificate.AuthorityKeyId) == 0 || len(certificate.AuthorityKeyId) > maxKeyID ||
		!slices.Contains(soundSignatures, certificate.SignatureAlgorithm) {
		return nil
	}
	var found []Key
	for _, authority := range v.Keys.Keys(certificate.AuthorityKeyId) {
		if authority.Usage&UseCertify == 0 || gatehouse.Issuer(authority.Issuer.Country()) != country || !mayCertify(authority.Public) {
			continue
		}
		// Only the key is asked: no chain is built, no store of the system and no network.
		parent := x509.Certificate{PublicKey: authority.Public}
		if parent.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) == nil {
			found = append(found, authority)
		}
	}
	return found
}

// mayCertify bounds what a signature check may cost.
func mayCertify(public crypto.PublicKey) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256() || key.Curve == elliptic.P384() || key.Curve == elliptic.P521()
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048 && key.N.BitLen() <= maxCSCABits
	}
	return false
}

// withdrawnSigner reports whether a listing of the certificate's own key says that it was
// withdrawn, by its country: under the certificate's id or the key's own. The certificate's id is
// not the certificate's alone. Whoever has it can write its ECDSA signature (r, s) as (r, n-s),
// which holds as well, and has a certificate with another hash; so the twin's id is asked for too.
func withdrawnSigner(v Verifier, certificate *x509.Certificate, authorities []Key, country gatehouse.Issuer) bool {
	written := [][]byte{certificate.Raw, certificate.RawSubjectPublicKeyInfo}
	for _, authority := range authorities {
		if twin, ok := twinOf(certificate, authority.Public); ok {
			written = append(written, twin)
		}
	}
	for _, der := range written {
		id := sha256.Sum256(der)
		for _, listed := range v.Keys.Keys(id[:keyIDSize]) {
			if listed.Withdrawn && samePublic(listed.Public, certificate.PublicKey) &&
				(listed.AnyIssuer || gatehouse.Issuer(listed.Issuer.Country()) == country) {
				return true
			}
		}
	}
	return false
}

// vouchedSigner gives the certificate's own key where somebody vouches for it without an
// authority of its state: a guard's desk that was handed the signer's certificate. A listing
// that withdraws it withdraws it for all.
func vouchedSigner(v Verifier, certificate *x509.Certificate, country gatehouse.Issuer) (keys []Key) {
	if v.Keys == nil {
		return nil
	}
	withdrawn := false
	for _, der := range [][]byte{certificate.Raw, certificate.RawSubjectPublicKeyInfo} {
		id := sha256.Sum256(der)
		for _, listed := range v.Keys.Keys(id[:keyIDSize]) {
			if samePublic(listed.Public, certificate.PublicKey) && (listed.AnyIssuer || gatehouse.Issuer(listed.Issuer.Country()) == country) {
				keys = append(keys, listed)
				withdrawn = withdrawn || listed.Withdrawn
			}
		}
	}
	for i := range keys {
		keys[i].Withdrawn = withdrawn
	}
	return keys
}

// twinOf is the certificate with the other signature that ECDSA takes for the same; false where
// its authority signs in another way.
func twinOf(certificate *x509.Certificate, authority crypto.PublicKey) ([]byte, bool) {
	key, ok := authority.(*ecdsa.PublicKey)
	var parts struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var signature struct{ R, S *big.Int }
	if !ok {
		return nil, false
	}
	if _, err := asn1.Unmarshal(certificate.Raw, &parts); err != nil {
		return nil, false
	}
	if _, err := asn1.Unmarshal(certificate.Signature, &signature); err != nil {
		return nil, false
	}
	signature.S.Sub(key.Curve.Params().N, signature.S)
	written, err := asn1.Marshal(signature)
	if err != nil {
		return nil, false
	}
	parts.Signature = asn1.BitString{Bytes: written, BitLength: 8 * len(written)}
	twin, err := asn1.Marshal(parts)
	return twin, err == nil
}

// certifiedKey is the key of a carried certificate as its authority lets it be used: for as
// long as both count.
func certifiedKey(id []byte, certificate *x509.Certificate, authority Key) Key {
	return Key{
		ID:        id,
		Issuer:    authority.Issuer,
		Public:    certificate.PublicKey,
		NotBefore: later(certificate.NotBefore, authority.NotBefore),
		NotAfter:  earlier(certificate.NotAfter, authority.NotAfter),
		Withdrawn: authority.Withdrawn,
		Usage:     sealUsage(certificate),
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sealUsage is what a certificate lets its key sign. One for another purpose, an authority's
// own, and one with a condition that nobody here understands may sign nothing.
func sealUsage(certificate *x509.Certificate) (usage Usage) {
	seals := false
	for _, purpose := range certificate.UnknownExtKeyUsage {
		seals = seals || purpose.String() == purposeSeal
	}
	for _, critical := range certificate.UnhandledCriticalExtensions {
		seals = seals && critical.Equal(documentTypes)
	}
	if !seals || certificate.IsCA || certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return 0
	}
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(documentTypes) {
			continue
		}
		var list struct {
			Version int
			Types   []string `asn1:"set"`
		}
		if rest, err := asn1.Unmarshal(extension.Value, &list); err != nil || len(rest) > 0 {
			return 0
		}
		for _, kind := range list.Types {
			switch kind {
			case "NV":
				usage |= UseVaccination
			case "NT":
				usage |= UseTest
			}
		}
	}
	return usage
}

// ReadCSCA reads certificates of states' signing authorities (PEM or one DER) as keys that
// certify others. Each must be an authority's, name its country and its key's identifier. That
// the state vouches for it is for whoever hands it over to know: what the certificate itself is
// signed with is not looked at.
func ReadCSCA(data []byte) ([]Key, error) {
	if len(data) > maxSigner {
		return nil, fmt.Errorf("signing authority: %d bytes, at most %d", len(data), maxSigner)
	}
	var ders [][]byte
	if text := bytes.TrimSpace(data); bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		for len(text) > 0 {
			block, rest := pem.Decode(text)
			if block == nil || block.Type != "CERTIFICATE" {
				return nil, errors.New("signing authority: PEM that is no certificate, or broken off")
			}
			ders, text = append(ders, block.Bytes), bytes.TrimSpace(rest)
		}
	} else {
		ders = [][]byte{data}
	}
	var keys []Key
	for i, der := range ders {
		key, err := readCSCA(der)
		if err != nil {
			return nil, fmt.Errorf("signing authority: certificate %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func readCSCA(der []byte) (Key, error) {
	certificate, err := x509.ParseCertificate(withNamedCurve(der))
	if err != nil {
		return Key{}, err
	}
	country := certificate.Subject.Country
	switch {
	case !certificate.BasicConstraintsValid || !certificate.IsCA:
		return Key{}, errors.New("not an authority's")
	case certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return Key{}, errors.New("may not certify")
	case len(country) != 1 || len(country[0]) != 2 || !isIssuer(strings.ToUpper(country[0])):
		return Key{}, errors.New("names no country of two letters")
	case len(certificate.SubjectKeyId) == 0 || len(certificate.SubjectKeyId) > maxKeyID:
		return Key{}, errors.New("has no subject key identifier")
	case !mayCertify(certificate.PublicKey):
		return Key{}, fmt.Errorf("want P-256, P-384, P-521 or RSA of 2048 to %d bits", maxCSCABits)
	}
	return Key{
		ID:        certificate.SubjectKeyId,
		Issuer:    gatehouse.Issuer(strings.ToUpper(country[0])),
		Public:    certificate.PublicKey,
		NotBefore: certificate.NotBefore,
		NotAfter:  certificate.NotAfter,
		Usage:     UseCertify,
	}, nil
}

// countryOf turns the three letters of a travel document (Doc 9303, part 3, section 5) into a
// country of two; "" for none. Germany has one letter there, and UTO is the Utopia of specimens.
func countryOf(three string) gatehouse.Issuer {
	switch three {
	case "D":
		return "DE"
	case "UTO":
		return "UT"
	}
	if len(three) != 3 || !within(three, 'A', 'Z') {
		return ""
	}
	for i := 0; i+5 <= len(countries); i += 6 {
		if countries[i+2:i+5] == three {
			return gatehouse.Issuer(countries[i : i+2])
		}
	}
	return ""
}

// countries are those of ISO 3166-1: two letters, three letters, a space.
const countries = "" +
	"ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB " +
	"BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR " +
	"BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR " +
	"CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK " +
	"FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS " +
	"GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN " +
	"ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO " +
	"LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD " +
	"MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER " +
	"NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM " +
	"PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP " +
	"SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF " +
	"TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY " +
	"UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE "
