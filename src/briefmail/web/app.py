"""What the preview answers: the page around the mail, the mail itself, and data for the page.

The mail is shown in a frame without scripts, and its Content-Security-Policy lets nothing load but
the pictures that travel with it: an issue is data from wherever its editor copied it.
"""

import hmac
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request

from briefmail.errors import BriefmailError, InputError
from briefmail.newsletter import Desk, Preview
from briefmail.web.mail import PLACEHOLDER, Scheme, mail_page
from briefmail.web.state import layout_data, person_data

PEOPLE_SHOWN = 50
MAIL_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'"
)
TYPES = {"css": "text/css", "js": "text/javascript"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)


def make_app(desk: Desk, token: str) -> Flask:
    """Return the application for one desk. Every path begins with ``token``."""
    app = Flask("briefmail", template_folder="templates/web", static_folder=None)

    @app.before_request
    def guard() -> None:
        # The host is looked at, too: a page elsewhere whose name was made to mean this machine
        # (DNS rebinding) has another one.
        first = request.path.partition("/")[2].partition("/")[0]
        if not hmac.compare_digest(first.encode(), token.encode()):
            abort(403)
        if request.host.rpartition(":")[0] != "127.0.0.1":
            abort(403)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.errorhandler(BriefmailError)
    def refused(error: BriefmailError) -> tuple[Response, int]:
        return jsonify(error=error.message, hint=error.hint), 422

    _add_pages(app, desk, f"/{token}")
    return app


def _add_pages(app: Flask, desk: Desk, base: str) -> None:
    @app.get(f"{base}/")
    def page() -> str:
        return render_template("preview.html", base=f"{base}/", issue=desk.path.name)

    @app.get(f"{base}/measure")
    def measure() -> str:
        """A page whose title becomes the height of the mail; for pictures of all of it."""
        mail = f"{base}/mail?{request.query_string.decode()}"
        return render_template("measure.html", mail=mail, width=request.args.get("width", 800, int))

    @app.get(f"{base}/<any('preview.css', 'preview.js', 'measure.js'):name>")
    def asset(name: str) -> Response:
        with app.open_resource(f"templates/web/{name}") as file:
            return Response(file.read(), mimetype=TYPES[name.partition(".")[2]])

    @app.get(f"{base}/state")
    def state() -> Response:
        return jsonify(layout_data(desk.look(), desk.path, request.args.get("version", -1, int)))

    @app.get(f"{base}/people")
    def people() -> Response:
        found = desk.people(request.args.get("words", ""), PEOPLE_SHOWN)
        return jsonify([person_data(person) for person in found])

    @app.get(f"{base}/copy")
    def copy() -> Response:
        return jsonify(_copy_data(desk.preview(request.args.get("as"))))

    @app.get(f"{base}/mail")
    def mail() -> Response:
        try:
            shown = desk.preview(request.args.get("as"))
        except InputError as error:
            return _framed(PLACEHOLDER.format(text=_escaped(error)))
        scheme: Scheme = "dark" if request.args.get("scheme") == "dark" else "light"
        pictures = request.args.get("pictures") != "off"
        return _framed(mail_page(shown, base, scheme=scheme, pictures=pictures))

    @app.get(f"{base}/picture/<content_id>")
    def picture(content_id: str) -> Response:
        found = desk.preview(request.args.get("as")).pictures.get(content_id)
        if found is None:
            abort(404)
        mime_type, data = found
        return _with_policy(Response(data, mimetype=mime_type))

    @app.post(f"{base}/test")
    def test() -> tuple[Response, int] | Response:
        # Only our own page can send JSON: another site would be asked first, and be refused.
        asked: dict[str, Any] = request.get_json()
        done = desk.send_test(str(asked.get("to", "")), asked.get("as"))
        where = f"filed in {done.outbox.name}/new" if done.outbox else "sent"
        if done.delivery.state != "sent":
            return jsonify(error=str(done.delivery), hint=None), 502
        return jsonify(text=f"test copy for {done.to}: {where}")


def _copy_data(shown: Preview) -> dict[str, Any]:
    return {
        "person": person_data(shown.recipient),
        "headers": shown.headers,
        "preheader": shown.preheader,
        "text": shown.text,
        "raw": shown.message.data.decode("utf-8", "replace"),
        "size": len(shown.message.data),
        "html_size": shown.html_size,
    }


def _framed(page: str) -> Response:
    return _with_policy(Response(page, mimetype="text/html"))


def _with_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _escaped(error: InputError) -> str:
    return "\n".join(problem.text for problem in error.problems).replace("<", "&lt;")
