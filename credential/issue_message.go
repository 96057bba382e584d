package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/fxamacker/cbor/v2"
)

// algorithmOf is the algorithm that a key of our own formats signs with.
func algorithmOf(public crypto.PublicKey) (int64, error) {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if isSM2(key) {
			return algSM2, nil
		}
		if key.Curve == elliptic.P256() {
			return algES256, nil
		}
	case ed25519.PublicKey:
		return algEdDSA, nil
	}
	return 0, fmt.Errorf("sign with %T: want P-256, Ed25519 or SM2", public)
}

// signMessage makes a tagged COSE_Sign1 with algorithm and key id in the signed header.
func signMessage(key crypto.Signer, kid, payload []byte) ([]byte, error) {
	alg, err := algorithmOf(key.Public())
	if err != nil {
		return nil, err
	}
	protected, err := encoding.Marshal(map[int64]any{1: alg, 4: kid})
	if err != nil {
		return nil, err
	}
	signature, err := signRaw(key, alg, toBeSigned(protected, payload))
	if err != nil {
		return nil, err
	}
	return encoding.Marshal(cbor.Tag{Number: tagSign1, Content: []any{protected, map[int64]any{}, payload, signature}})
}

// signRaw signs as COSE has it: r and s of 32 bytes each for ES256 and SM2, which crypto.Signer
// gives in DER.
func signRaw(key crypto.Signer, alg int64, message []byte) ([]byte, error) {
	switch alg {
	case algEdDSA:
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	case algSM2: // hashes by itself, since its hash is bound to the key
		der, err := key.Sign(rand.Reader, message, sm2.NewSM2SignerOption(true, []byte(sm2User)))
		if err != nil {
			return nil, err
		}
		return rawOf(der)
	}
	hash := sha256.Sum256(message)
	der, err := key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return rawOf(der)
}

// rawOf takes a signature of a curve of 256 bits out of DER.
func rawOf(der []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("sign: the key gave no DER signature")
	}
	if pair.R.Sign() <= 0 || pair.R.BitLen() > 256 || pair.S.Sign() <= 0 || pair.S.BitLen() > 256 {
		return nil, errors.New("sign: the key gave a signature of another size than its curve's")
	}
	raw := make([]byte, 64)
	pair.R.FillBytes(raw[:32])
	pair.S.FillBytes(raw[32:])
	return raw, nil
}
