//! The formats of the first version of Exotel's API: JSON and XML.

use std::collections::BTreeMap;

use quick_xml::{
    Writer,
    events::{BytesDecl, Event},
};
use serde::Serialize;

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// For paths that end in `.json`.
    Json,
    /// For all other paths.
    Xml,
}

/// The element around every answer in XML. Source: Exotel's reference of SMS details.
const ROOT: &str = "TwilioResponse";

impl AnswerFormat {
    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }

    /// The answer's text, with `body` as the element `name`.
    pub(super) fn write(self, name: &str, body: &impl Serialize) -> String {
        let named = BTreeMap::from([(name, body)]);
        match self {
            Self::Json => serde_json::to_string(&named).expect("texts and numbers are JSON"),
            Self::Xml => {
                let mut writer = Writer::new(Vec::new());
                let declaration = Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None));
                writer.write_event(declaration).expect("memory takes everything");
                writer.write_serializable(ROOT, &named).expect("texts and numbers are XML");
                let xml = String::from_utf8(writer.into_inner()).expect("texts are UTF-8");
                // XML readers turn a bare carriage return into a line feed.
                xml.replace(|c| !is_xml(c), "\u{FFFD}").replace('\r', "&#13;")
            }
        }
    }
}

/// Whether XML can hold a character, escaped or not. Source: XML 1.0, production 2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Thing {
        text: &'static str,
        empty: &'static str,
        none: Option<i32>,
    }

    #[test]
    fn whatever_a_text_holds_it_stays_one_element() {
        let thing = Thing { text: "<a b=\"c\"> & 'd' ]]> \u{1}\u{FFFF}ü😀\r\n", empty: "", none: None };
        assert_eq!(
            AnswerFormat::Xml.write("Thing", &thing),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><TwilioResponse><Thing>\
             <Text>&lt;a b=\"c\"&gt; &amp; 'd' ]]&gt; \u{FFFD}\u{FFFD}ü😀&#13;\n</Text><Empty/><None/>\
             </Thing></TwilioResponse>"
        );
        let json: serde_json::Value =
            serde_json::from_str(&AnswerFormat::Json.write("Thing", &thing)).unwrap();
        assert_eq!(json["Thing"]["Text"], thing.text);
        assert_eq!(json["Thing"]["None"], serde_json::Value::Null);
    }
}
