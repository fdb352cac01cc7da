package alertmanager

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Alertmanager writes its state to a file every quarter of an hour; what was said since is lost in a crash. Here each change
// goes into the store at once, one row a silence and one a notification, as the bytes that Alertmanager tells its peers.

// Kinds of rows.
const (
	keptSilence      = "silence"
	keptNotification = "notification"
)

// retention is how long an ended silence, or a notification that is not repeated, is remembered; Alertmanager's default.
const retention = 120 * time.Hour

// keptWithin bounds a write: who waits for it holds a lock of Alertmanager's.
const keptWithin = 10 * time.Second

// kept is the state in the store.
type kept struct {
	db *store.DB

	mu     sync.Mutex
	failed error // the last write that failed since somebody looked
}

func (k *kept) read(ctx context.Context, kind string) (io.Reader, error) {
	all := new(bytes.Buffer)
	err := k.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT data FROM alert_kept WHERE kind = ? ORDER BY id`, kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return err
			}
			all.Write(data)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read %ss: %w", kind, err)
	}
	return all, nil
}

// silence is told of each change of a silence.
func (k *kept) silence(data []byte) {
	var s silencepb.MeshSilence
	if k.decode(data, &s) {
		k.write(keptSilence, s.GetSilence().GetId(), data, s.GetExpiresAt().AsTime())
	}
}

// notification is told of each notification that was sent.
func (k *kept) notification(data []byte) {
	var e nflogpb.MeshEntry
	if k.decode(data, &e) {
		to := e.GetEntry().GetReceiver()
		id := fmt.Sprintf("%s:%s/%s/%d", e.GetEntry().GetGroupKey(), to.GetGroupName(), to.GetIntegration(), to.GetIdx())
		k.write(keptNotification, shortID(id), data, e.GetExpiresAt().AsTime())
	}
}

func (k *kept) decode(data []byte, into proto.Message) bool {
	err := protodelim.UnmarshalFrom(bufio.NewReader(bytes.NewReader(data)), into)
	k.note(err)
	return err == nil
}

func (k *kept) write(kind, id string, data []byte, expires time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), keptWithin)
	defer cancel()
	k.note(k.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO alert_kept (kind, id, data, expires_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			kind, id, base64.StdEncoding.EncodeToString(data), store.Micros(expires))
		return err
	}))
}

func (k *kept) forget(ctx context.Context, before time.Time) error {
	return k.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM alert_kept WHERE expires_at < ?`, store.Micros(before))
		return err
	})
}

func (k *kept) note(err error) {
	if err == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed = err
}

// taken returns the last failure, once.
func (k *kept) taken() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.failed
	k.failed = nil
	return err
}
