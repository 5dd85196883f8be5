package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

// TestPublished walks what staff publish and residents open, over HTTP: covers
// and recordings, quizzes, mini-program codes, and reports nearby.
func TestPublished(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		county := seed(t, openApp(t, env, c), want{shops: 1, residents: 2})
		l := &loop{site: serve(t, env, c), env: env, clock: c, c: county}
		l.operator, l.organizer, l.owner, l.wang = l.staff(operatorName), l.staff(organizerName), l.staff(county.shops[0].owner), l.resident("r0")
		t.Run("media", func(t *testing.T) { l.t = t; l.media(t) })
		t.Run("quiz", func(t *testing.T) { l.t = t; l.quiz(t) })
		t.Run("codes", func(t *testing.T) { l.t = t; l.codes(t) })
		t.Run("nearby", func(t *testing.T) { l.t = t; l.nearby(t) })
		l.t = t
		requireSound(t, env, c)
	})
}

func (l *loop) media(t *testing.T) {
	type item struct {
		Key, URL    string
		ContentType string `json:"content_type"`
		Width       int64
	}
	cover := into[item](t, l.owner.uploadTo("/pictures", photo(t, 1)))
	require.EqualValues(t, 64, cover.Width)
	picture := l.call(http.MethodGet, cover.URL, "", nil)
	require.Equal(t, 200, picture.status)
	require.Equal(t, "image/jpeg", picture.header.Get("Content-Type"))
	require.Equal(t, "nosniff", picture.header.Get("X-Content-Type-Options"))
	require.Contains(t, picture.header.Get("Content-Security-Policy"), "sandbox")
	require.Contains(t, picture.header.Get("Cache-Control"), "immutable")
	require.Equal(t, 304, l.call(http.MethodGet, cover.URL, "", nil, "If-None-Match", picture.header.Get("ETag")).status)

	sound := append([]byte("ID3\x04"), []byte(strings.Repeat("0123456789", 100))...)
	recording := into[item](t, l.operator.uploadTo("/recordings", sound))
	whole := l.call(http.MethodGet, recording.URL, "", nil)
	require.Equal(t, sound, whole.body)
	require.Equal(t, "audio/mpeg", whole.header.Get("Content-Type"))
	require.Equal(t, "bytes", whole.header.Get("Accept-Ranges"))
	part := l.call(http.MethodGet, recording.URL, "", nil, "Range", "bytes=4-13")
	require.Equal(t, http.StatusPartialContent, part.status)
	require.Equal(t, "0123456789", string(part.body))
	require.Equal(t, "bytes 4-13/1004", part.header.Get("Content-Range"))
	last := l.call(http.MethodGet, recording.URL, "", nil, "Range", "bytes=-3")
	require.Equal(t, "789", string(last.body))
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, l.call(http.MethodGet, recording.URL, "", nil, "Range", "bytes=5000-").status)

	require.Equal(t, 404, l.call(http.MethodGet, "/mp/v1/media/"+strings.Repeat("a", 32), "", nil).status)
	require.Equal(t, 422, l.call(http.MethodGet, "/mp/v1/media/short", "", nil).status)
	require.Equal(t, 4, l.call(http.MethodGet, "/mp/v1/media/..%2f..%2f..%2fetc%2fpasswd%2faaaaaaaa", "", nil).status/100)
	private := into[struct{ ID string }](t, l.wang.upload(photo(t, 2)))
	require.Equal(t, 4, l.call(http.MethodGet, "/mp/v1/media/"+private.ID, "", nil).status/100, "a resident's picture is no cover")
	require.Equal(t, "media.not_a_picture", l.operator.uploadTo("/pictures", sound).code())
	require.Equal(t, "media.not_audio", l.operator.uploadTo("/recordings", photo(t, 1)).code())
	article := object{
		"region_id": l.c.countyID, "title": "有录音的播报", "summary": "听一听", "body": "正文。", "source": "本地播报", "min_seconds": 5,
		"cover_key": cover.Key, "audio_key": recording.Key,
	}
	draft := post[struct {
		CoverURL string `json:"cover_url"`
		AudioURL string `json:"audio_url"`
	}](l.operator, "/articles", article)
	require.Equal(t, cover.URL, draft.CoverURL)
	require.Equal(t, recording.URL, draft.AudioURL)
	article["cover_key"] = recording.Key
	require.Equal(t, 422, l.operator.do(http.MethodPost, "/articles", article).status, "a recording is no cover")
}

func (l *loop) quiz(t *testing.T) {
	type article struct {
		ID      string
		Version int64
	}
	a := post[article](l.operator, "/articles", object{
		"region_id": l.c.countyID, "title": "防溺水须知", "summary": "暑期安全", "body": "正文。", "source": "本地播报", "min_seconds": 5,
	})
	question := func(text string, answer int) object {
		return object{"text": text, "choices": []string{"能", "不能"}, "answer": answer}
	}
	set := func(questions ...object) answer {
		return l.operator.do(http.MethodPut, "/articles/"+a.ID+"/quiz", object{"version": a.Version, "questions": questions})
	}
	require.Equal(t, 422, set(question("能下河吗？", 5)).status, "the answer is none of the choices")
	a = into[article](t, set(question("能下河吗？", 1), question("能看电影吗？", 0)))
	require.Len(t, get[struct{ Questions []object }](l.operator, "/articles/"+a.ID+"/quiz").Questions, 2)
	post[article](l.operator, "/articles/"+a.ID+"/publish", object{"version": a.Version})

	shown := l.wang.do(http.MethodGet, "/articles/"+a.ID, nil)
	require.Equal(t, 200, shown.status)
	require.Contains(t, string(shown.body), "能下河吗？")
	require.NotContains(t, string(shown.body), `"answer"`, "what is right never leaves the server")
	session := post[struct{ ID string }](l.wang, "/articles/"+a.ID+"/reading-sessions", nil)
	l.clock.Advance(10 * time.Second)
	post[object](l.wang, "/reading-sessions/"+session.ID+"/beats", nil)
	finish := func() answer { return l.wang.do(http.MethodPost, "/reading-sessions/"+session.ID+"/complete", nil) }
	require.Equal(t, 409, finish().status, "the quiz comes first")

	type result struct {
		Passed    bool
		Wrong     []int64
		TriesLeft int64 `json:"tries_left"`
	}
	key := freshKey()
	try := func(key string, choices ...int64) answer {
		return l.wang.do(http.MethodPost, "/articles/"+a.ID+"/quiz-attempts", object{"choices": choices}, "Idempotency-Key", key)
	}
	for range 2 { // a replay costs no try
		require.Equal(t, result{false, []int64{0}, 2}, into[result](t, try(key, 0, 0)))
	}
	require.Equal(t, 422, try(key, 1, 1).status, "the same key for other answers")
	require.Equal(t, "reading.quiz_changed", try(freshKey(), 1).code(), "one answer for two questions")
	require.True(t, into[result](t, try(freshKey(), 1, 0)).Passed)
	require.Equal(t, 200, finish().status)
}

func (l *loop) codes(t *testing.T) {
	benefit := l.owner.do(http.MethodGet, "/benefits/"+l.c.shops[0].benefitID+"/wxacode", nil)
	require.Equal(t, 200, benefit.status, benefit.String())
	require.Equal(t, "image/jpeg", benefit.header.Get("Content-Type"))
	require.Equal(t, "\xff\xd8", string(benefit.body[:2]), "a JPEG")
	begin := l.clock.Now().Add(2 * time.Hour)
	draft := post[struct {
		ID       string
		Lon, Lat float64
	}](l.organizer, "/activities", object{
		"region_id": l.c.townID, "title": "河道清洁", "content": "捡拾河边垃圾", "category": "environment", "beneficiary": "社区居民",
		"place_name": "洛塘河", "lon": 120.67639228, "lat": 30.51318484, "coordinate_system": "wgs84", // as a browser gives it
		"radius_meters": 300, "contact_name": "顾老师", "contact_phone": "0573-87000000",
		"shifts": []object{{"starts_at": begin, "ends_at": begin.Add(2 * time.Hour), "capacity": 10}},
	})
	require.InDelta(t, lon, draft.Lon, 1e-5)
	require.InDelta(t, lat, draft.Lat, 1e-5)
	path := "/activities/" + draft.ID
	require.Equal(t, "invite.not_published", l.organizer.do(http.MethodGet, path+"/wxacode", nil).code(), "a poster must lead somewhere")
	require.Equal(t, 200, l.organizer.do(http.MethodPost, path+"/publish", nil).status)
	require.Equal(t, 200, l.organizer.do(http.MethodGet, path+"/wxacode", nil).status)
	require.Equal(t, 403, l.owner.do(http.MethodGet, path+"/wxacode", nil).status)
	require.Equal(t, 404, l.operator.do(http.MethodGet, "/activities/"+someULID+"/wxacode", nil).status)

	type target struct{ Kind, ID string }
	scene := func(text string) answer { return l.call(http.MethodGet, "/mp/v1/scenes/"+text, "", nil) }
	require.Equal(t, target{"activity", draft.ID}, into[target](t, scene("a-"+draft.ID)))
	require.Equal(t, target{"benefit", l.c.shops[0].benefitID}, into[target](t, scene("b-"+l.c.shops[0].benefitID)))
	for _, bad := range []string{"c-" + draft.ID, "a-" + strings.ToLower(draft.ID), draft.ID, "a-1", "a-" + draft.ID + "0"} {
		require.Equal(t, "invite.unknown_scene", scene(bad).code(), bad)
	}
	require.Equal(t, 422, scene(strings.Repeat("a", 33)).status)
}

func (l *loop) nearby(t *testing.T) {
	report := post[struct{ ID, Number string }](l.wang, "/cases", object{
		"category": "facility", "text": "小区南门口的路灯不亮", "region_id": l.c.villages[0], "lon": lon, "lat": lat,
	})
	neighbour := l.resident("r1")
	type found struct {
		Number, Category string
		Mine             bool
		WithinMeters     int64 `json:"within_meters"`
	}
	ask := func(who *person, query string) []found {
		return get[list[found]](who, "/cases/nearby?"+query).Items
	}
	here := "lon=120.6806&lat=30.5107"
	require.Eventually(t, func() bool { return len(ask(neighbour, here)) == 1 }, bootWait, 20*time.Millisecond, "once WeChat has passed its text")
	require.Equal(t, []found{{report.Number, "facility", false, 50}}, ask(neighbour, here))
	require.True(t, ask(l.wang, here)[0].Mine)
	answer := neighbour.do(http.MethodGet, "/cases/nearby?"+here, nil)
	require.NotContains(t, string(answer.body), "路灯", "not what the reporter wrote")
	require.NotContains(t, string(answer.body), "120.68", "nor where it is exactly")
	require.Empty(t, ask(neighbour, "lon=120.6826&lat=30.5107"), "190 metres away")
	require.Empty(t, ask(neighbour, here+"&category=safety"))
	// The same place as a browser gives it, and as it would be taken without a word on the system.
	browser := "lon=120.67639228&lat=30.51318484"
	require.Equal(t, report.Number, ask(neighbour, browser+"&coordinate_system=wgs84")[0].Number)
	require.Empty(t, ask(neighbour, browser))
	require.Equal(t, 422, neighbour.do(http.MethodGet, "/cases/nearby?lon=120", nil).status)
	require.Equal(t, 422, neighbour.do(http.MethodGet, "/cases/nearby?lon=181&lat=30", nil).status)
}
