package clients

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	pd "github.com/tikv/pd/client"
	"github.com/tikv/pd/client/pkg/caller"
)

// certificates writes ca.pem, and for each name a certificate of that authority with its key, for the loopback.
func certificates(t *testing.T, dir string, names ...string) {
	write := func(file, kind string, der []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var authority *x509.Certificate
	var authorityKey *ecdsa.PrivateKey
	for i, name := range append([]string{"ca"}, names...) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		draft := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)),
			Subject:      pkix.Name{CommonName: name},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
			IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
			ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if i == 0 {
			draft.IsCA, draft.BasicConstraintsValid, draft.KeyUsage = true, true, x509.KeyUsageCertSign
			draft.ExtKeyUsage = nil
			authority, authorityKey = draft, key
		}
		der, err := x509.CreateCertificate(rand.Reader, draft, authority, &key.PublicKey, authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".pem", "CERTIFICATE", der)
		secret, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(name+"-key.pem", "EC PRIVATE KEY", secret)
	}
}

// The client module over gRPC and Go's own HTTP client, which offers h2 and http/1.1 together, at one port with mutual
// TLS.
func TestTLS(t *testing.T) {
	g := &group{t: t, dir: t.TempDir(), names: []string{"pd1"}, procs: make([]*exec.Cmd, 1)}
	certificates(t, g.dir, "server", "client")
	file := func(name string) string { return filepath.Join(g.dir, name) }
	g.urls = []string{fmt.Sprintf("https://127.0.0.1:%d", freePort(t))}
	g.args = [][]string{{os.Getenv("PD_SERVER"), "--name", "pd1", "--data-dir", file("pd1"), "--client-urls", g.urls[0],
		"--peer-urls", fmt.Sprintf("https://127.0.0.1:%d", freePort(t)), "--log-file", file("pd1.log"),
		"--cacert", file("ca.pem"), "--cert", file("server.pem"), "--key", file("server-key.pem")}}
	g.start(0)
	t.Cleanup(func() { g.kill(0) })

	security := pd.SecurityOption{CAPath: file("ca.pem"), CertPath: file("client.pem"), KeyPath: file("client-key.pem")}
	var client pd.Client
	patiently(t, "connect", func(ctx context.Context) (err error) {
		client, err = pd.NewClientWithContext(context.Background(), caller.TestComponent, g.urls, security)
		return err
	})
	t.Cleanup(client.Close)
	patiently(t, "timestamp", func(ctx context.Context) error {
		_, _, err := client.GetTS(ctx)
		return err
	})

	pool := x509.NewCertPool()
	text, err := os.ReadFile(file("ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no authority", err)
	}
	get := func(shown ...tls.Certificate) (*http.Response, error) {
		web := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: shown}}}
		return web.Get(g.urls[0] + "/pd/api/v1/health")
	}
	own, err := tls.LoadX509KeyPair(file("client.pem"), file("client-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := get(own)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || answer.ProtoMajor != 1 || len(body) == 0 {
		t.Error("health:", answer, string(body), err)
	}
	if _, err := get(); err == nil {
		t.Error("a client without a certificate was served")
	}
}
