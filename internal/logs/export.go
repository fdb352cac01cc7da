package logs

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// exportInput asks for lines as a file.
type exportInput struct {
	Asked
	Format string `query:"format" enum:"csv,ndjson" default:"ndjson"`
	Fields string `query:"fields" doc:"columns of the CSV, separated by commas; empty: time, level, service.name, message"`
	Limit  int    `query:"limit" default:"100000" minimum:"1" maximum:"1000000"`
}

// maxExport bounds the file in memory.
const maxExport = 256 << 20

func (l *Logs) export(ctx context.Context, in *exportInput) (*web.File, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	columns := []string{event.TimeField, event.LevelField, event.ServiceField, event.MessageField}
	if in.Fields != "" {
		columns = append([]string{event.TimeField}, strings.Split(in.Fields, ",")...)
	}
	sheet := csv.NewWriter(&b)
	if in.Format == "csv" {
		_ = sheet.Write(columns) // a buffer takes everything
	}
	rows := &event.Rows{}
	for left := in.Limit; left > 0; {
		rows.Limit = min(left, event.MaxRows)
		res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter, Rows: rows})
		if err != nil {
			return nil, err
		}
		for i := range res.Rows {
			e := &res.Rows[i]
			if in.Format == "csv" {
				cells := make([]string, len(columns))
				for j, name := range columns {
					cells[j] = cell(e.Get(name).String())
				}
				_ = sheet.Write(cells)
				continue
			}
			data, err := json.Marshal(e)
			if err != nil {
				return nil, err
			}
			b.Write(append(data, '\n'))
		}
		sheet.Flush()
		if b.Len() > maxExport {
			return nil, problem.New(problem.TooLarge, "the export is larger than %d MiB", maxExport>>20).WithMend("ask for less time or fewer lines")
		}
		left -= len(res.Rows)
		if len(res.Rows) < rows.Limit {
			break
		}
		c := rows.CursorOf(&res.Rows[len(res.Rows)-1])
		rows.After = &c
	}
	if in.Format == "csv" {
		return &web.File{ContentType: "text/csv; charset=utf-8", Name: "logs.csv", Body: b.Bytes()}, nil
	}
	return &web.File{ContentType: "application/x-ndjson", Name: "logs.ndjson", Body: b.Bytes()}, nil
}

// cell keeps spreadsheets from running what a log line says.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		if _, isNumber := event.String(s).Number(); !isNumber {
			return "'" + s
		}
	}
	return s
}
