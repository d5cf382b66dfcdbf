//! The known fields of a callback, with all their spellings.

use strum::VariantArray;

/// A known field of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Field {
    /// The message's Sid.
    SmsSid,
    /// The recipient.
    To,
    /// The status, or a detailed name in its place.
    Status,
    /// The detailed status code.
    DetailedStatusCode,
    /// The detailed status code in other pages of Exotel's; other channels' codes too.
    ExoStatusCode,
    /// The detailed name.
    DetailedStatus,
    /// Parts sent.
    SmsUnits,
    /// When it was sent (on delivery: when it was delivered).
    DateSent,
    /// The same, in newer pages.
    SentAt,
    /// When it was delivered.
    DeliveredAt,
    /// When Exotel last changed it.
    DateUpdated,
    /// The same, in newer pages.
    UpdatedAt,
    /// The sender's own text.
    CustomField,
    /// The campaign it belongs to.
    CampaignSid,
    /// Exotel's account.
    AccountSid,
    /// The sender.
    From,
    /// The text.
    Body,
    /// An error code.
    ErrorCode,
    /// The sender's own reference.
    ExternalRef,
}

impl Field {
    /// How many there are.
    pub const COUNT: usize = <Self as VariantArray>::VARIANTS.len();

    /// The spelling that Exotel's reference uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmsSid => "SmsSid",
            Self::To => "To",
            Self::Status => "Status",
            Self::DetailedStatusCode => "DetailedStatusCode",
            Self::ExoStatusCode => "ExoStatusCode",
            Self::DetailedStatus => "DetailedStatus",
            Self::SmsUnits => "SmsUnits",
            Self::DateSent => "DateSent",
            Self::SentAt => "SentAt",
            Self::DeliveredAt => "DeliveredAt",
            Self::DateUpdated => "DateUpdated",
            Self::UpdatedAt => "UpdatedAt",
            Self::CustomField => "CustomField",
            Self::CampaignSid => "CampaignSid",
            Self::AccountSid => "AccountSid",
            Self::From => "From",
            Self::Body => "Body",
            Self::ErrorCode => "ErrorCode",
            Self::ExternalRef => "ExternalRef",
        }
    }

    /// The field that `key` means, without regard to case and underscores.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let otherwise_spelled = || Self::VARIANTS.iter().find(|field| Self::is_spelling(key, field.name()));
        Self::from_name(key).or_else(|| otherwise_spelled().copied())
    }

    /// The field whose name in Exotel's reference this is, to the letter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::VARIANTS.iter().find(|field| field.name() == name).copied()
    }

    /// Whether `key` is `name`, without regard to case and underscores.
    #[must_use]
    pub fn is_spelling(key: &str, name: &str) -> bool {
        let letters = key.bytes().filter(|&b| b != b'_').map(|b| b.to_ascii_lowercase());
        letters.eq(name.bytes().map(|b| b.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_whatever_their_case_and_underscores() {
        for key in ["SmsSid", "sms_sid", "SMSSID", "_Sms__Sid_"] {
            assert_eq!(Field::from_key(key), Some(Field::SmsSid), "{key}");
        }
        for key in ["SmsSid[]", "Sid", "", "Sms-Sid"] {
            assert_eq!(Field::from_key(key), None, "{key}");
        }
    }
}
