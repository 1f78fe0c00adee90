package secret

// told is what the audit log says of a secret (docs/reference/secrets.md section 4.10). Never its value or its comment,
// nor metadata that is encrypted.
type told struct {
	Environment string      `json:"environment,omitempty"`
	ID          string      `json:"secretId"`
	Key         string      `json:"secretKey"`
	Metadata    []eventPair `json:"secretMetadata,omitempty"`
	Path        string      `json:"secretPath"`
	Tags        []string    `json:"secretTags,omitempty"`
	Version     int64       `json:"secretVersion"`
}

// event returns what the audit log says of a secret.
func (s *Secret) event() told {
	return told{s.Environment, s.ID, s.Key, s.maskedMetadata(), s.Path, slugs(s.Tags), s.Version}
}

// eventPair is a pair of metadata in the audit log.
type eventPair struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Encrypted bool   `json:"isEncrypted"`
}

func (s *Secret) maskedMetadata() []eventPair {
	if len(s.Metadata) == 0 {
		return nil
	}
	pairs := make([]eventPair, len(s.Metadata))
	for i, m := range s.Metadata {
		pairs[i] = eventPair(m)
		if m.Encrypted {
			pairs[i].Value = hidden
		}
	}
	return pairs
}
